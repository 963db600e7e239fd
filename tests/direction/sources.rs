//! Which module uses which, by the sources.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use syn::{
    Attribute, File, Item, ItemMod, ItemUse, Path as CodePath, UseTree,
    visit::{self, Visit},
};

/// Modules of one parent, and which of the others each of them uses.
pub(crate) type Graph = BTreeMap<String, BTreeSet<String>>;

/// A module's own path, as in `tpns::push`; the crate's root is empty.
type ModulePath = Vec<String>;

/// The modules of a crate.
pub(crate) struct Modules {
    /// The paths that each module uses, from the root, as far as they can be this crate's.
    uses: BTreeMap<ModulePath, BTreeSet<Vec<String>>>,
    /// What a module re-exports: the name, and the path it stands for.
    exports: BTreeMap<ModulePath, BTreeMap<String, Vec<String>>>,
}

impl Modules {
    /// Reads a crate's `src/`.
    pub(crate) fn read(folder: &Path) -> Self {
        let mut files = Vec::new();
        collect(folder, &mut Vec::new(), &mut files);
        Self::of(files.iter().map(|(path, text)| (path.as_str(), text.as_str())))
    }

    /// Of modules given as path and text.
    pub(crate) fn of<'a>(modules: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut all = Self { uses: BTreeMap::new(), exports: BTreeMap::new() };
        for (path, text) in modules {
            let module: ModulePath = path.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
            let file: File = syn::parse_str(text).unwrap_or_else(|error| panic!("{path}: {error}"));
            let mut reader = Reader { module: module.clone(), uses: BTreeSet::new(), exports: BTreeMap::new() };
            reader.visit_file(&file);
            all.uses.entry(module.clone()).or_default().extend(reader.uses);
            all.exports.entry(module).or_default().extend(reader.exports);
        }
        all
    }

    /// Every module that has modules in it.
    pub(crate) fn parents(&self) -> BTreeSet<String> {
        self.uses.keys().filter(|path| !path.is_empty()).map(|path| path[..path.len() - 1].join("::")).collect()
    }

    /// The modules in this one, and which of the others each uses, with all that is in it.
    pub(crate) fn siblings(&self, parent: &str) -> Graph {
        let parent: ModulePath = parent.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let mut graph = Graph::new();
        for (module, uses) in &self.uses {
            let Some(own) = child(&parent, module) else { continue };
            let used = graph.entry(own.clone()).or_default();
            used.extend(uses.iter().filter_map(|path| child(&parent, &self.resolve(path))).filter(|used| *used != own));
        }
        let names: BTreeSet<_> = graph.keys().cloned().collect();
        graph.values_mut().for_each(|used| used.retain(|name| names.contains(name)));
        graph
    }

    /// The path with re-exported names replaced by where they come from.
    fn resolve(&self, path: &[String]) -> Vec<String> {
        let mut path = path.to_vec();
        // A name may be re-exported by several modules, one after the other.
        for _ in 0..8 {
            let exported = (0..path.len()).find_map(|length| {
                let from = self.exports.get(&path[..length])?.get(&path[length])?;
                Some([from, &path[length + 1..]].concat())
            });
            match exported {
                Some(next) if next != path => path = next,
                _ => break,
            }
        }
        path
    }
}

/// The part of a path behind `parent`.
fn child(parent: &[String], path: &[String]) -> Option<String> {
    path.strip_prefix(parent)?.first().cloned()
}

/// The files of a folder with their modules' paths; tests are left out.
fn collect(folder: &Path, module: &mut ModulePath, files: &mut Vec<(String, String)>) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if ["tests", "testing", "bin"].contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            module.push(name);
            collect(&path, module, files);
            module.pop();
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let is_root = module.is_empty() && ["lib", "main"].contains(&name.as_str());
            let own = if is_root { Vec::new() } else { [module.as_slice(), &[name]].concat() };
            files.push((own.join("::"), fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Reads one module.
struct Reader {
    module: ModulePath,
    uses: BTreeSet<Vec<String>>,
    exports: BTreeMap<String, Vec<String>>,
}

impl Reader {
    /// A path from the root; `None` if it names another crate, as far as its first part shows.
    fn absolute(&self, parts: &[String]) -> Option<Vec<String>> {
        let mut base = self.module.clone();
        let mut rest = parts;
        match parts.first()?.as_str() {
            "crate" => {
                base.clear();
                rest = &parts[1..];
            }
            "self" => rest = &parts[1..],
            "super" => {
                while rest.first().is_some_and(|part| part == "super") {
                    base.pop()?;
                    rest = &rest[1..];
                }
            }
            // A module of its own, or another crate's; which one, no one asks.
            _ => {}
        }
        base.extend(rest.iter().cloned());
        Some(base)
    }

    fn tree(&mut self, tree: &UseTree, before: &mut Vec<String>, public: bool) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.tree(&path.tree, before, public);
                before.pop();
            }
            UseTree::Group(group) => group.items.iter().for_each(|item| self.tree(item, before, public)),
            UseTree::Name(name) if name.ident == "self" => self.end(before, None, public),
            UseTree::Name(name) => {
                before.push(name.ident.to_string());
                self.end(before, None, public);
                before.pop();
            }
            UseTree::Rename(rename) => {
                before.push(rename.ident.to_string());
                self.end(before, Some(rename.rename.to_string()), public);
                before.pop();
            }
            UseTree::Glob(_) => self.end(before, None, false),
        }
    }

    fn end(&mut self, path: &[String], name: Option<String>, public: bool) {
        let Some(path) = self.absolute(path) else { return };
        if public && let Some(name) = name.or_else(|| path.last().cloned()) {
            self.exports.insert(name, path.clone());
        }
        self.uses.insert(path);
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Ident>().is_ok_and(|name| name == "test")
    })
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Mod(ItemMod { attrs, .. }) if is_for_tests(attrs) => {}
            Item::Use(ItemUse { attrs, .. }) if is_for_tests(attrs) => {}
            item => visit::visit_item(self, item),
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let public = !matches!(item.vis, syn::Visibility::Inherited);
        self.tree(&item.tree, &mut Vec::new(), public);
    }

    fn visit_path(&mut self, path: &'ast CodePath) {
        let parts: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if parts.len() > 1
            && let Some(path) = self.absolute(&parts)
        {
            self.uses.insert(path);
        }
        visit::visit_path(self, path);
    }
}
