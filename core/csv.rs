//! Tables as CSV (RFC 4180). By hand: the `csv` crate writes what the tests below read with it, but it is a hundredth of
//! the upload.

/// A table: a `header` and `rows`, each ended by a line feed. A field is quoted where a comma, a quote or the end of a
/// line is in it.
pub fn table<const N: usize>(header: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut text = header.join(",") + "\n";
    for row in rows {
        text.push_str(&row.map(quoted).join(","));
        text.push('\n');
    }
    text
}

fn quoted(field: String) -> String {
    if field.contains([',', '"', '\n', '\r']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_quote_in_a_name_stays_in_the_name() {
        let row = ["O\"Neil, Ann", "two\nlines"].map(String::from);
        assert_eq!(table(["name", "note"], [row].into_iter()), "name,note\n\"O\"\"Neil, Ann\",\"two\nlines\"\n");
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_others_read(rows: Vec<(String, String, String)>) {
            let rows: Vec<[String; 3]> = rows.into_iter().map(|(a, b, c)| [a, b, c]).collect();
            let text = table(["a", "b", "c"], rows.iter().cloned());
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let read: Vec<[String; 3]> = reader.deserialize().map(Result::unwrap).collect();
            prop_assert_eq!(read, rows);
        }
    }
}
