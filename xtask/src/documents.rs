//! Tests that the documents agree with each other and with the project.
//!
//! **Invariant:** every relative link of every Markdown file leads to a file of the repository, and to a heading of it
//! if it names one.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::{Component, Path, PathBuf},
    process::Command,
};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::process::output;

/// The repository's root.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A document's links, and the anchors of its headings.
#[derive(Debug, Default, PartialEq, Eq)]
struct Document {
    links: Vec<String>,
    anchors: Vec<String>,
}

impl Document {
    fn parse(text: &str) -> Self {
        let (mut document, mut heading, mut seen) = (Self::default(), None, HashMap::<String, usize>::new());
        for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    let anchor = anchor(&heading.take().unwrap_or_default());
                    let count = seen.entry(anchor.clone()).and_modify(|count| *count += 1).or_default();
                    document.anchors.push(if *count == 0 { anchor } else { format!("{anchor}-{count}") });
                }
                Event::Text(text) | Event::Code(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    document.links.push(dest_url.to_string());
                }
                _ => {}
            }
        }
        document
    }
}

/// What GitHub makes of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || "-_ ".contains(*letter));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// The links of `document`, found at `path`, that lead nowhere: neither to one of `files` or a directory of one, nor
/// to one of the `anchors` of a file.
fn dead_links(
    path: &str,
    document: &Document,
    files: &BTreeSet<PathBuf>,
    anchors: impl Fn(&Path) -> Vec<String>,
) -> Vec<String> {
    let is_dead = |link: &str| {
        let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
        let Some(target) = target(path, file) else { return true };
        let is_there = files.contains(&target) || files.iter().any(|file| file.starts_with(&target));
        !is_there || anchor.is_some_and(|anchor| !anchors(&target).iter().any(|there| there == anchor))
    };
    let relative = document.links.iter().filter(|link| !link.contains("://"));
    relative.filter(|link| is_dead(link)).map(|link| format!("{path}: {link}")).collect()
}

/// The file that a link of the document at `path` names; `None` if it leads out of the repository.
fn target(path: &str, link: &str) -> Option<PathBuf> {
    if link.is_empty() {
        return Some(path.into());
    }
    let mut target = Path::new(path).parent()?.to_path_buf();
    for component in Path::new(link).components() {
        match component {
            Component::ParentDir if !target.pop() => return None,
            Component::ParentDir | Component::CurDir => {}
            Component::Normal(name) => target.push(name),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(target)
}

/// The files of the repository, with those that are to be committed.
fn repository() -> BTreeSet<PathBuf> {
    let mut git = Command::new("git");
    git.args(["-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard"]);
    output(&mut git).unwrap().lines().map(PathBuf::from).collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap()
}

#[test]
fn no_link_of_any_document_is_dead() {
    let files = repository();
    let documents: Vec<_> = files.iter().filter(|file| file.extension().is_some_and(|kind| kind == "md")).collect();
    assert!(documents.len() > 5, "{documents:?}");
    let anchors = |file: &Path| Document::parse(&read(file)).anchors;
    let dead = |path: &&PathBuf| dead_links(path.to_str().unwrap(), &Document::parse(&read(path)), &files, anchors);
    assert_eq!(documents.iter().flat_map(dead).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn a_link_to_nothing_and_one_to_no_heading_are_dead() {
    let files = ["README.md", "docs/a page.md", "docs/b.md"].map(PathBuf::from).into();
    let anchors = |_: &Path| vec!["what-it-is".to_string()];
    let dead = |link: &str| {
        let document = Document::parse(&format!("See [this]({link})."));
        assert_eq!(document.links.len(), 1, "{link}");
        !dead_links("docs/b.md", &document, &files, anchors).is_empty()
    };
    for alive in ["b.md", "../README.md", "../README.md#what-it-is", "#what-it-is", "../docs", "https://example.com/x"]
    {
        assert!(!dead(alive), "{alive}");
    }
    for nowhere in ["README.md", "c.md", "b.md#what", "#what", "../../README.md", "/README.md", "../doc"] {
        assert!(dead(nowhere), "{nowhere}");
    }
}

#[test]
fn a_heading_has_the_anchor_that_github_gives_it() {
    let document = Document::parse("# What's `/ws/connect/?email=` for?\n\n## In short\n\nIn\n\n## In short\n");
    assert_eq!(document.anchors, ["whats-wsconnectemail-for", "in-short", "in-short-1"]);
}

#[test]
fn the_newest_version_of_the_changelog_is_the_workspaces() {
    let changelog = read(Path::new("CHANGELOG.md"));
    let mut sections = changelog.lines().filter_map(|line| line.strip_prefix("## [")?.split(']').next());
    assert_eq!(sections.find(|section| *section != "Unreleased"), Some(env!("CARGO_PKG_VERSION")));
}
