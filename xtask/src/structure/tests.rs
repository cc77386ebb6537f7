use std::fs;

use walkdir::WalkDir;

use super::*;

/// The arrows of a crate of the workspace.
fn arrows_in(directory: &str) -> BTreeSet<(String, String)> {
    let root = format!("{}/../{directory}/", env!("CARGO_MANIFEST_DIR"));
    let files = WalkDir::new(&root).into_iter().map(|entry| entry.unwrap().path().to_str().unwrap().to_owned());
    let files: Vec<_> = files.filter(|path| path.ends_with(".rs")).collect();
    assert!(files.len() > 5, "{files:?}");
    Crate::new(files.iter().map(|path| (path.strip_prefix(&root).unwrap(), fs::read_to_string(path).unwrap()))).arrows()
}

#[test]
fn no_file_uses_one_that_uses_it_and_no_layer_one_above() {
    let (ours, core) = (arrows_in("src"), arrows_in("core"));
    assert_eq!((upward(&ours), cycle(&ours), cycle(&core)), (vec![], None, None));
}

#[test]
fn a_clean_tree_passes_and_what_it_uses_is_found() {
    let arrows = Crate::new([
        ("lib.rs", "mod d1; mod platform; mod room; pub use room::Room; fn f() -> i32 { platform::clock::now() }"),
        ("room.rs", "mod alarm; pub(crate) mod storage; mod state; pub use alarm::Alarm; pub use state::Room;"),
        (
            "room/alarm.rs",
            "use super::{Room, storage::{self, Rows as Them}}; #[cfg(test)] mod tests { use crate::Up; }",
        ),
        ("room/state.rs", "use std::fmt::{self}; /// crate::edge::Comment\n struct Room(crate::platform::Clock<u8>);"),
        ("room/storage.rs", "use crate::d1::*; const TEXT: &str = \"crate::room::Room\";"),
        ("d1.rs", "struct Rows; mod here { use super::Rows; } macro_rules! now { () => { $crate::platform::clock::now::<u8>() } }"),
        ("platform.rs", "pub mod clock; pub use self::clock::Clock;"),
        ("platform/clock.rs", "pub struct Clock<T>(T);"),
        ("platform/tests.rs", "use crate::room::Room;"),
    ])
    .arrows();
    let found: Vec<_> = arrows.iter().map(|(user, used)| format!("{user} uses {used}")).collect();
    assert_eq!(
        found,
        [
            "d1 uses platform/clock",
            "lib uses platform/clock",
            "room/alarm uses room/state",
            "room/alarm uses room/storage",
            "room/state uses platform/clock",
            "room/storage uses d1",
        ]
    );
    assert_eq!((upward(&arrows), cycle(&arrows)), (vec![], None));
}

#[test]
fn a_cycle_is_found_however_it_is_written() {
    for (one, other, way) in [
        ("use crate::b::B;", "pub struct B(crate::a::A);", "a → b → a"),
        ("use super::b;", "use crate::{a::{A, C}, std};", "a → b → a"),
        // Through what another one hands on, and through a third one.
        ("use crate::B;", "use crate::c::C;", "a → b → c → a"),
    ] {
        let files = [
            ("lib.rs", "mod a; mod b; mod c; pub use b::B;"),
            ("a.rs", one),
            ("b.rs", other),
            ("c.rs", "use crate::a;"),
        ];
        assert_eq!(cycle(&Crate::new(files).arrows()).as_deref(), Some(way), "{one} {other}");
    }
    // A parent that uses what it hands on, and a child that uses what is written in the parent.
    let parent = "mod child; pub use child::Child; pub struct Parent(Child);";
    let arrows =
        Crate::new([("lib.rs", "mod room;"), ("room.rs", parent), ("room/child.rs", "use super::Parent;")]).arrows();
    assert_eq!(cycle(&arrows).as_deref(), Some("room → room/child → room"));
    let handed_on = parent.replace("(Child)", "");
    let arrows =
        Crate::new([("lib.rs", "mod room;"), ("room.rs", &handed_on), ("room/child.rs", "use super::Parent;")])
            .arrows();
    assert_eq!(cycle(&arrows), None);
}

#[test]
fn an_arrow_that_runs_back_up_is_found() {
    let upward = |user: &str, text: &str| {
        let files = ["lib", "edge", "room", "room/storage", "d1", "platform", "elsewhere"];
        let empty = files.iter().filter(|file| **file != user).map(|file| (format!("{file}.rs"), ""));
        upward(&Crate::new(empty.chain([(format!("{user}.rs"), text)])).arrows())
    };
    for (user, text, found) in [
        ("platform", "use crate::d1::Rows;", "platform uses d1"),
        ("room", "fn f() { crate::edge::answer() }", "room uses edge"),
        ("room/storage", "use super::Room;", "room/storage uses room"),
        ("room/api", "use crate::fetch;", "room/api uses lib"),
        ("room/api/users", "use super::super::super::edge;", "room/api/users uses edge"),
        ("d1", "use crate::elsewhere::X;", "d1 uses elsewhere"),
    ] {
        assert_eq!(upward(user, text), [found]);
    }
    for (user, text) in [
        ("edge", "use crate::room;"),
        ("room/api", "use crate::room::{Room, storage};"),
        ("room", "use storage::Rows;"),
    ] {
        assert_eq!(upward(user, text), [""; 0], "{user}");
    }
}
