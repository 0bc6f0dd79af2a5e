//! Who of this user has a name among the sockets of this host that nobody can call.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The process of the user `uid` that has the abstract name `name`, as far as processes are seen from here.
pub fn own_process_with(name: &str, uid: u32) -> Option<i32> {
    let sockets = sockets_named(&fs::read_to_string("/proc/net/unix").ok()?, name);
    if sockets.is_empty() {
        return None;
    }
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let mut own = processes
        .filter(|process| process.metadata().is_ok_and(|found| found.uid() == uid))
        .filter_map(|process| process.file_name().to_str()?.parse().ok());
    own.find(|pid: &i32| has_one_of(Path::new(&format!("/proc/{pid}/fd")), &sockets))
}

/// The links of descriptors to the sockets of that name: the seventh column is the inode, the eighth the
/// name, with an `@` in front of an abstract one (`proc(5)`).
fn sockets_named(table: &str, name: &str) -> BTreeSet<String> {
    let lines = table.lines().filter_map(|line| {
        let mut columns = line.split_whitespace().skip(6);
        let (inode, path) = (columns.next()?, columns.next()?);
        (path.strip_prefix('@') == Some(name)).then(|| format!("socket:[{inode}]"))
    });
    lines.collect()
}

fn has_one_of(descriptors: &Path, sockets: &BTreeSet<String>) -> bool {
    let descriptors = fs::read_dir(descriptors).into_iter().flatten().flatten();
    let mut links = descriptors.filter_map(|one| fs::read_link(one.path()).ok());
    links.any(|link| {
        let link = String::from_utf8_lossy(link.as_os_str().as_bytes());
        sockets.contains(&*link)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_whole() {
        let table = "Num       RefCount Protocol Flags    Type St Inode Path\n\
            0000: 00000002 00000000 00010000 0001 01 17 @ctr/1/a/bio\n\
            0000: 00000002 00000000 00000000 0002 01 18 @ctr/1/a/bio~1\n\
            0000: 00000002 00000000 00000000 0002 01 19\n";
        let found = sockets_named(table, "ctr/1/a/bio");
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["socket:[17]"]);
        assert!(sockets_named(table, "ctr/1/a").is_empty());
    }
}
