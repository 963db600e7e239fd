//! Modules depend one way (ARCHITECTURE.md, "Modules"): none uses a module of a higher floor, and no two modules next to
//! each other use each other, directly or through others.
//!
//! Read from the sources: `use` declarations and paths, without test modules. A name that a module re-exports counts as
//! a use of where it comes from.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot continue fails")]

mod sources;

use std::{collections::BTreeMap, path::Path};

use sources::{Graph, Modules};

/// The floors of `src/`, from the bottom. The contract, below them, is a crate of its own.
const FLOORS: [&[&str]; 5] = [
    &["ledger", "redelivery", "redelivery_delay", "plan", "settlement"],
    &["moment", "transport", "aws", "sqs_batch"],
    &["tpns"],
    &[
        "table",
        "config",
        "apply",
        "in_force",
        "check",
        "report",
        "parking",
        "check_queue",
        "source_queue",
        "finished",
        "log",
        "metrics",
    ],
    &["turns", "warm", "lib", "main"],
];

/// Every crate with its `src/` folder or its only file.
fn crates() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec!["src".to_owned()];
    for folder in ["crates", "benches"] {
        for entry in root.join(folder).read_dir().unwrap() {
            let path = entry.unwrap().path().join("src");
            if path.is_dir() {
                found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

fn modules(folder: &str) -> Modules {
    Modules::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
}

#[test]
fn no_module_uses_one_of_a_higher_floor() {
    let floor_of: BTreeMap<&str, usize> =
        FLOORS.iter().enumerate().flat_map(|(floor, names)| names.iter().map(move |name| (*name, floor))).collect();
    let modules = modules("src");
    let graph = modules.siblings("");
    for name in graph.keys() {
        assert!(
            floor_of.contains_key(name.as_str()),
            "src/{name} is on no floor; add it to FLOORS and to ARCHITECTURE.md"
        );
    }
    for (user, used) in edges(&graph) {
        assert!(floor_of[user] >= floor_of[used], "{user} uses {used}, which is on a higher floor");
    }
    for name in floor_of.keys().filter(|name| !["lib", "main"].contains(*name)) {
        assert!(graph.contains_key(*name), "FLOORS names {name}, which does not exist");
    }
}

#[test]
fn no_modules_next_to_each_other_use_each_other() {
    let mut circles = Vec::new();
    for folder in crates() {
        let modules = modules(&folder);
        for parent in modules.parents() {
            circles.extend(circle(&modules.siblings(&parent)).map(|circle| format!("{folder} {parent}: {circle}")));
        }
    }
    assert!(circles.is_empty(), "circles of modules:\n{}", circles.join("\n"));
}

/// The test above sees what it has to see.
#[test]
fn a_circle_through_re_exports_and_others_is_found() {
    let modules = Modules::of([
        ("", "mod a; mod b; mod c; pub use a::Thing;"),
        ("a", "use crate::b::{self, deep::X}; pub struct Thing;"),
        ("b", "mod deep; fn f() -> super::c::Y { }"),
        ("b::deep", "pub struct X;"),
        ("c", "use super::Thing; #[cfg(test)] mod tests { use crate::d; }"),
    ]);
    assert_eq!(circle(&modules.siblings("")).as_deref(), Some("a -> b -> c -> a"));
    let without = Modules::of([("", "mod a; mod b; pub use a::Thing;"), ("a", ""), ("b", "use super::Thing;")]);
    assert_eq!(circle(&without.siblings("")), None);
    assert_eq!(edges(&without.siblings("")).collect::<Vec<_>>(), [("b", "a")]);
}

fn edges(graph: &Graph) -> impl Iterator<Item = (&str, &str)> {
    graph.iter().flat_map(|(user, used)| used.iter().map(|used| (user.as_str(), used.as_str())))
}

/// A circle, if there is one.
fn circle(graph: &Graph) -> Option<String> {
    fn visit<'g>(graph: &'g Graph, name: &'g str, path: &mut Vec<&'g str>, done: &mut Vec<&'g str>) -> Option<String> {
        if let Some(start) = path.iter().position(|each| *each == name) {
            return Some([&path[start..], &[name]].concat().join(" -> "));
        }
        if done.contains(&name) {
            return None;
        }
        path.push(name);
        let found = graph.get(name).into_iter().flatten().find_map(|used| visit(graph, used, path, done));
        path.pop();
        done.push(name);
        found
    }
    let mut done = Vec::new();
    graph.keys().find_map(|name| visit(graph, name, &mut Vec::new(), &mut done))
}
