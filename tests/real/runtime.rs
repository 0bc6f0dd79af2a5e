//! The private folder of this host for what shells look at: whose it must be, and that it can be
//! lost at any time.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use crate::support::{Output, Place, Run};

/// The instance whose folder for shims is asked for.
const ENV: [&str; 4] = ["env", "--shell", "sh", "bio"];

/// What the folder is called where there is no `XDG_RUNTIME_DIR`.
fn fallback() -> String {
    format!("/tmp/ctr-{}", nix::unistd::getuid())
}

/// A place with a running instance and without `XDG_RUNTIME_DIR`.
fn without_runtime_folder() -> Place {
    let mut place = Place::new();
    place.start("bio", &[]);
    place.unset("XDG_RUNTIME_DIR");
    place.folder("tmp");
    place
}

/// Runs `ctr ARGS` where the folder `tmp` of the place is `/tmp`, after `script`.
fn with_own_tmp(place: &Place, script: &str, args: &[&str]) -> Run {
    let tmp = place.path("tmp");
    let script = format!("mount --bind {} /tmp\n{script}", tmp.display());
    place.ctr_in_world(&script, args)
}

/// Demands that a folder is there and private.
#[track_caller]
fn assert_private(folder: &Path) {
    let metadata = fs::symlink_metadata(folder).unwrap_or_else(|e| panic!("{folder:?}: {e}"));
    assert!(metadata.is_dir(), "{folder:?}");
    let seen = (metadata.mode() & 0o777, metadata.uid());
    assert_eq!(seen, (0o700, nix::unistd::getuid().as_raw()), "{folder:?}");
}

/// Demands that the folder was refused for this reason, with a way out, and that no code was printed
/// that succeeds.
#[track_caller]
fn assert_refused(output: &Output, folder: &Path, fault: &str) {
    let said = format!("error: {} {fault}", folder.display());
    output.says(&[&said, " hint: ", "XDG_RUNTIME_DIR"]);
    assert!(!output.text().contains("CTR_INSTANCE"), "{output}");
}

#[test]
fn it_lies_in_the_runtime_folder_and_is_private() {
    let place = Place::new();
    place.start("bio", &[]);
    let shims = place.path("run/ctr/shims/bio");
    let code = place.ctr(ENV).ok();
    assert!(code.text().contains(shims.to_str().unwrap()), "{code}");
    for folder in ["run/ctr", "run/ctr/shims", "run/ctr/shims/bio"] {
        assert_private(&place.path(folder));
    }
    // The caller's umask does not open it, nor close it to its owner.
    for umask in ["0000", "0077"] {
        fs::remove_dir_all(place.path("run/ctr")).unwrap();
        let script = format!("umask {umask}; exec ctr env --shell sh bio");
        place.program("sh").args(["-c", &script]).ok();
        assert_private(&place.path("run/ctr"));
        assert_private(&shims);
    }
}

#[test]
fn it_is_made_again_when_it_was_lost() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    let before = place.ctr(ENV).ok();
    fs::remove_dir_all(place.path("run/ctr")).unwrap();
    assert_eq!(place.ctr(ENV).ok().text(), before.text());
    assert_private(&place.path("run/ctr/shims/bio"));
    // Also under a shell in which the instance is active.
    let run = place.path("run/ctr").display().to_string();
    let script = format!(
        "set -eu; eval \"$(ctr env bio)\"; rm -r {run}; ctr exec . echo inside
        eval \"$(ctr env bio)\"; echo $K; ls -d {run}/shims/bio; eval \"$(ctr env --unset)\""
    );
    let output = place.program("bash").args(["--norc", "-c", &script]).ok();
    let expected = format!("inside\nv\n{run}/shims/bio\n");
    assert_eq!(output.text(), expected);
    output.quiet();
    fs::remove_dir_all(&run).unwrap();
    place.ctr(["stop", "bio"]).ok();
    place.assert_forgotten("bio");
}

#[test]
fn without_a_runtime_folder_it_lies_in_tmp_and_is_private() {
    let mut place = without_runtime_folder();
    let not_folders = [None, Some(place.path("nosuch")), Some(PathBuf::from("run"))];
    for folder in not_folders {
        match &folder {
            Some(folder) => place.set("XDG_RUNTIME_DIR", folder),
            None => place.unset("XDG_RUNTIME_DIR"),
        }
        let code = with_own_tmp(&place, "", &ENV).ok();
        let shims = format!("{}/shims/bio", fallback());
        assert!(code.text().contains(&shims), "{folder:?}: {code}");
        let made = place.path(&fallback()[1..]);
        for folder in [made.clone(), made.join("shims"), made.join("shims/bio")] {
            assert_private(&folder);
        }
        with_own_tmp(&place, "", &ENV).ok();
        fs::remove_dir_all(made).unwrap();
    }
}

#[test]
fn what_somebody_else_can_have_put_there_is_refused() {
    let place = without_runtime_folder();
    let (folder, mine) = (PathBuf::from(fallback()), place.path(&fallback()[1..]));
    let target = place.folder("tmp/target");
    place.mode(&target, 0o700);

    symlink("target", &mine).unwrap();
    let output = with_own_tmp(&place, "", &ENV).fails(1);
    assert_refused(&output, &folder, "is not a folder");
    assert_eq!(
        fs::read_dir(&target).unwrap().count(),
        0,
        "nothing is made there"
    );
    fs::remove_file(&mine).unwrap();

    fs::write(&mine, "").unwrap();
    let output = with_own_tmp(&place, "", &ENV).fails(1);
    assert_refused(&output, &folder, "is not a folder");
    fs::remove_file(&mine).unwrap();

    fs::create_dir(&mine).unwrap();
    for mode in [0o755, 0o770, 0o701, 0o1777] {
        place.mode(&mine, mode);
        let output = with_own_tmp(&place, "", &ENV).fails(1);
        assert_refused(&output, &folder, "is open to others");
        assert_eq!(fs::read_dir(&mine).unwrap().count(), 0, "{mode:o}");
    }
    place.mode(&mine, 0o700);
    with_own_tmp(&place, "", &ENV).ok();

    // A folder of root's, which belongs to nobody known in that world.
    let foreign = format!("mount --bind /etc {}", folder.display());
    let output = with_own_tmp(&place, &foreign, &ENV).fails(1);
    assert_refused(&output, &folder, "belongs to another user");
}

#[test]
fn in_the_runtime_folder_it_is_looked_at_as_closely() {
    let place = Place::new();
    place.start("bio", &[]);
    let folder = place.path("run/ctr");
    let target = place.folder("target");
    place.mode(&target, 0o700);
    symlink(&target, &folder).unwrap();
    assert_refused(&place.ctr(ENV).fails(1), &folder, "is not a folder");
    fs::remove_file(&folder).unwrap();
    symlink("nowhere", &folder).unwrap();
    assert_refused(&place.ctr(ENV).fails(1), &folder, "is not a folder");
    fs::remove_file(&folder).unwrap();
    fs::create_dir(&folder).unwrap();
    place.mode(&folder, 0o750);
    assert_refused(&place.ctr(ENV).fails(1), &folder, "is open to others");
    let foreign = format!("mount --bind /etc {}", folder.display());
    let output = place.ctr_in_world(&foreign, &ENV).fails(1);
    assert_refused(&output, &folder, "belongs to another user");
    // What needs no shims goes on: to be inside, and to end it.
    place.ctr(["exec", "bio", "true"]).ok().quiet();
    place.ctr(["stop", "bio"]).ok();
    place.assert_forgotten("bio");
}
