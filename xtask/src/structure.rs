//! The shape of the code: which file uses which.
//!
//! **Invariant:** no file of `src` or `core` uses one that uses it, whatever lies between; and a layer of `src` uses only
//! itself and those below it.
//!
//! A file uses another one if it names something that is written there: in a `use`, or by a path from `crate`, `super`,
//! `self` or a module that it declares. Declaring a module is no use, nor is handing on what is in it (`pub use`). Tests
//! do not count.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// The layers of `src`, from the top, by the modules in them.
const LAYERS: [&str; 9] =
    ["lib", "schema", "edge", "room", "room/storage", "login_throttle", "d1", "telemetry", "platform"];

/// A crate. Modules are called by the names that lead to them, as `room/alarm`, and the root `lib`.
#[derive(Default)]
struct Crate {
    /// The words of each module's file.
    files: BTreeMap<String, Vec<String>>,
    /// The real names of what modules hand on, by the names under which they do.
    handed_on: BTreeMap<String, String>,
    /// What each file names.
    named: BTreeSet<(String, String)>,
}

impl Crate {
    /// Reads files: their paths in the crate, and their texts.
    fn new<P: AsRef<str>, T: AsRef<str>>(files: impl IntoIterator<Item = (P, T)>) -> Self {
        let mut this = Self::default();
        for (path, text) in files {
            let module = path.as_ref().trim_end_matches(".rs");
            if module.rsplit('/').next() == Some("tests") {
                continue;
            }
            let text = text.as_ref().parse().unwrap_or_else(|error| panic!("{module}: {error}"));
            this.files.insert(module.into(), words(text));
        }
        for (module, words) in this.files.clone() {
            this.look(&module, &words);
        }
        this
    }

    /// Finds what a file names.
    fn look(&mut self, module: &str, words: &[String]) {
        let mut at = 0;
        while at < words.len() {
            let before = at.checked_sub(1).map_or("", |before| word(words, before));
            let is_import = word(words, at) == "use";
            if !is_import && (word(words, at + 1) != "::" || before == "::") {
                at += 1;
                continue;
            }
            at += usize::from(is_import);
            for (path, name) in paths(words, &mut at, "") {
                let Some(names) = self.absolute(module, &path) else { continue };
                let is_handed_on = is_import && matches!(before, "pub" | ")");
                let is_below = module == "lib" || names.starts_with(&format!("{module}/"));
                let is_used_here = words.iter().filter(|word| **word == name).count() > 1;
                if is_handed_on {
                    self.handed_on.insert(join(if module == "lib" { "" } else { module }, &name), names.clone());
                }
                if !is_handed_on || !is_below || is_used_here {
                    self.named.insert((module.into(), names));
                }
            }
        }
    }

    /// The names from the root on; `None` for a path that begins with something else than a module of the crate.
    fn absolute(&self, module: &str, path: &str) -> Option<String> {
        let mut from: Vec<&str> = module.split('/').filter(|name| *name != "lib").collect();
        let mut names = path.split('/').peekable();
        match *names.peek()? {
            "crate" => from.clear(),
            "self" => {}
            "super" => while names.next_if_eq(&"super").is_some() && from.pop().is_some() {},
            child if self.files.contains_key(&join(&from.join("/"), child)) => {}
            _ => return None,
        }
        from.extend(names.filter(|name| !matches!(*name, "crate" | "self")));
        Some(from.join("/"))
    }

    /// The module in whose file that is written.
    fn home(&self, names: &str) -> String {
        let (mut module, mut rest) = (String::new(), names.split('/'));
        while let Some(name) = rest.next() {
            let next = join(&module, name);
            if let Some(real) = self.handed_on.get(&next).filter(|_| !self.files.contains_key(&next)) {
                return self.home(&rest.fold(real.clone(), |real, name| join(&real, name)));
            }
            if !self.files.contains_key(&next) {
                break;
            }
            module = next;
        }
        if module.is_empty() { "lib".into() } else { module }
    }

    /// The pairs of a file and one that it uses.
    fn arrows(&self) -> BTreeSet<(String, String)> {
        let arrows = self.named.iter().map(|(user, names)| (user.clone(), self.home(names)));
        arrows.filter(|(user, used)| user != used).collect()
    }
}

/// The words of a file, without tests and comments.
fn words(text: TokenStream) -> Vec<String> {
    let (mut words, mut tokens) = (Vec::new(), text.into_iter());
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) if group.stream().to_string().replace(' ', "") == "cfg(test)" => {
                let ends = |token: &TokenTree| match token {
                    TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                    other => other.to_string() == ";",
                };
                tokens.by_ref().find(ends);
            }
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Parenthesis | Delimiter::None => ("(", ")"),
                };
                // From a module in the same file the way up leads into that file.
                let is_module = words.iter().rev().nth(1).is_some_and(|word| word == "mod");
                let inside = self::words(group.stream()).into_iter();
                words.push(open.into());
                words.extend(inside.map(|word| if is_module && word == "super" { "self".into() } else { word }));
                words.push(close.into());
            }
            TokenTree::Punct(colon) if colon.as_char() == ':' && colon.spacing() == Spacing::Joint => {
                words.push("::".into());
                tokens.next();
            }
            TokenTree::Literal(_) => words.push("literal".into()),
            other => words.push(other.to_string()),
        }
    }
    words
}

fn word(words: &[String], at: usize) -> &str {
    words.get(at).map_or("", String::as_str)
}

/// The paths that begin at a word, each with the name that it gets; a `{…}` has several.
fn paths(words: &[String], at: &mut usize, before: &str) -> Vec<(String, String)> {
    let mut path = before.to_string();
    loop {
        let this = word(words, *at);
        *at += 1;
        if this == "{" {
            let mut found = Vec::new();
            while !matches!(word(words, *at), "}" | "") {
                found.extend(paths(words, at, &path));
                *at += usize::from(word(words, *at) == ",");
            }
            *at += 1;
            return found;
        }
        path = join(&path, this);
        if word(words, *at) != "::" || word(words, *at + 1) == "<" {
            break;
        }
        *at += 1;
    }
    let renamed = word(words, *at) == "as";
    *at += 2 * usize::from(renamed);
    let name = if renamed { word(words, *at - 1) } else { path.rsplit('/').next().unwrap_or_default() };
    vec![(path.clone(), name.into())]
}

fn join(names: &str, name: &str) -> String {
    if names.is_empty() { name.into() } else { format!("{names}/{name}") }
}

/// A way from a file back to it, if there is one.
fn cycle(arrows: &BTreeSet<(String, String)>) -> Option<String> {
    let mut left = arrows.clone();
    loop {
        let (users, before) = (left.iter().map(|(user, _)| user.clone()).collect::<BTreeSet<_>>(), left.len());
        left.retain(|(_, used)| users.contains(used));
        if left.len() == before {
            break;
        }
    }
    // Whatever is used here uses something in its turn.
    let mut way = vec![&left.first()?.0];
    loop {
        let (_, next) = left.iter().find(|(user, _)| Some(&user) == way.last())?;
        let start = way.iter().position(|module| *module == next);
        way.push(next);
        if let Some(start) = start {
            return Some(way[start..].iter().map(|module| module.as_str()).collect::<Vec<_>>().join(" → "));
        }
    }
}

/// The arrows that run back up between the layers, or touch a module without a layer.
fn upward(arrows: &BTreeSet<(String, String)>) -> Vec<String> {
    let layer = |module: &str| {
        let is_in =
            |layer: &&str| module.strip_prefix(layer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        LAYERS.iter().rposition(is_in)
    };
    let may = |user: &str, used: &str| layer(user).zip(layer(used)).is_some_and(|(user, used)| user <= used);
    arrows.iter().filter(|(user, used)| !may(user, used)).map(|(user, used)| format!("{user} uses {used}")).collect()
}

mod tests;
