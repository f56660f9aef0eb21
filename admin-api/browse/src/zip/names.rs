//! Names of files in an archive: what keys are, without what means something to a file system.

use crate::download::segment_name;
use std::collections::HashSet;

/// Names that are taken.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<String>);

impl Names {
    /// The path of an object below `root`: each segment made safe, and none twice.
    pub(super) fn path(&mut self, root: &str, key: &str) -> String {
        let is_folder = key.is_empty() || key.ends_with('/');
        let segments = key.split('/').filter(|segment| !segment.is_empty()).map(segment_name);
        let root = (!root.is_empty()).then(|| segment_name(root));
        let mut path = root.into_iter().chain(segments).collect::<Vec<_>>().join("/");
        if is_folder {
            path.push('/');
            self.0.insert(path.clone());
            return path;
        }
        let mut free = path.clone();
        let mut number = 2_u32;
        // A file system may take two names that differ in case for one.
        while !self.0.insert(free.to_lowercase()) {
            let (folder, name) = path.rsplit_once('/').map_or(("", path.as_str()), |(folder, name)| (folder, name));
            let (stem, end) = name.rfind('.').filter(|at| *at > 0).map_or((name, ""), |at| name.split_at(at));
            let slash = if folder.is_empty() { "" } else { "/" };
            free = format!("{folder}{slash}{stem} ({number}){end}");
            number += 1;
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_nowhere_else() {
        let mut names = Names::default();
        for (key, path) in [
            ("a/b.txt", "root/a/b.txt"),
            ("a/B.TXT", "root/a/B (2).TXT"),
            ("../../etc/passwd", "root/object/object/etc/passwd"),
            ("/etc/shadow", "root/etc/shadow"),
            ("c:\\x", "root/c__x"),
            ("a//c", "root/a/c"),
            ("a/./c", "root/a/object/c"),
            ("", "root/"),
            ("empty/", "root/empty/"),
            ("empty/", "root/empty/"),
            ("x\u{202e}gpj.exe", "root/x_gpj.exe"),
        ] {
            assert_eq!(names.path("root", key), path, "{key:?}");
        }
        assert_eq!(Names::default().path("", "a.txt"), "a.txt");
    }
}
