//! The table of bad input in `docs/security.md` names tests that there are.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn sources(directory: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "ts") {
            into.push(path);
        }
    }
}

#[test]
fn every_row_of_bad_input_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for directory in ["tests", "core"] {
        sources(&root.join(directory), &mut files);
    }
    let names: BTreeSet<String> = files
        .iter()
        .flat_map(|file| fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect::<Vec<_>>())
        .filter_map(|line| {
            let rust =
                line.trim().trim_start_matches("async ").strip_prefix("fn ").and_then(|rest| rest.split('(').next());
            let browser = line.strip_prefix("test(\"").and_then(|rest| rest.split('"').next());
            rust.or(browser).map(str::to_owned)
        })
        .collect();
    let document = fs::read_to_string(root.join("docs/security.md")).unwrap();
    let table = document.split("## Bad input").nth(1).unwrap();
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| #")).collect();
    assert_eq!(rows.len(), 31);
    for (number, row) in (1..).zip(rows) {
        assert!(row.starts_with(&format!("| {number} |")), "{row}");
        let tests: Vec<&str> = row.rsplit('|').nth(1).unwrap().split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "{row}");
        for test in tests {
            assert!(names.contains(test), "there is no test {test}: {row}");
        }
    }
}
