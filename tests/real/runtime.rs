//! The private folder of this host for what shells look at: whose it must be, and that it can be
//! lost at any time.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use crate::support::{Place, Run};

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

/// Demands that another folder is used than that one, each time the same, and gives it, as it is
/// called outside of that world.
#[track_caller]
fn assert_another(place: &Place, script: &str, not: &str) -> PathBuf {
    let code = with_own_tmp(place, script, &ENV).ok();
    assert_eq!(with_own_tmp(place, script, &ENV).ok().text(), code.text());
    let marked = |folder: &str| code.text().contains(&format!("{folder}/shims/bio"));
    assert!(!marked(not), "{code}");
    let candidates = place.glob(&format!("{}*", &fallback()[1..]));
    let used = candidates.into_iter().find(|folder| {
        let name = folder.file_name().unwrap().to_str().unwrap();
        marked(&format!("/tmp/{name}"))
    });
    let used = used.unwrap_or_else(|| panic!("{code}"));
    assert_private(&used);
    used
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
fn where_somebody_else_can_have_put_something_another_name_is_found() {
    let place = without_runtime_folder();
    let mine = place.path(&fallback()[1..]);
    let target = place.folder("tmp/target");
    place.mode(&target, 0o700);
    let is_empty = |folder: &Path| fs::read_dir(folder).unwrap().count() == 0;

    symlink("target", &mine).unwrap();
    let other = assert_another(&place, "", &fallback());
    let name = other.file_name().unwrap().to_str().unwrap();
    assert!(
        name.starts_with(&format!("{}-", &fallback()[5..])),
        "{name}"
    );
    assert!(is_empty(&target), "nothing is made there");
    // A shim there is one, and goes with its instance.
    let add = place.ctr(["shim", "add", "bio", "cat"]);
    add.env("XDG_RUNTIME_DIR", place.path("run")).ok();
    with_own_tmp(&place, "", &ENV).ok();
    assert!(other.join("shims/bio/cat").symlink_metadata().is_ok());
    with_own_tmp(&place, "", &["shim", "remove", "bio", "cat"]).ok();
    assert!(other.join("shims/bio/cat").symlink_metadata().is_err());
    let doctor = with_own_tmp(&place, "", &["doctor"]).run();
    assert!(
        doctor.text().contains("ctr-") && doctor.text().contains("is not a folder"),
        "{doctor}"
    );
    fs::remove_file(&mine).unwrap();

    fs::write(&mine, "").unwrap();
    assert_eq!(assert_another(&place, "", &fallback()), other);
    fs::remove_file(&mine).unwrap();

    fs::create_dir(&mine).unwrap();
    for mode in [0o755, 0o770, 0o701, 0o1777] {
        place.mode(&mine, mode);
        assert_eq!(assert_another(&place, "", &fallback()), other);
        assert!(is_empty(&mine), "{mode:o}");
    }
    // A folder of root's, which belongs to nobody known in that world.
    let foreign = format!("mount --bind /etc {}", fallback());
    assert_eq!(assert_another(&place, &foreign, &fallback()), other);
    place.mode(&mine, 0o700);
    let code = with_own_tmp(&place, "", &ENV).ok();
    assert!(
        code.text().contains(&format!("{}/shims", fallback())),
        "{code}"
    );
}

#[test]
fn in_the_runtime_folder_it_is_looked_at_as_closely() {
    let place = Place::new();
    place.start("bio", &[]);
    place.folder("tmp");
    let folder = place.path("run/ctr");
    let shown = folder.to_str().unwrap();
    let target = place.folder("target");
    place.mode(&target, 0o700);
    for leads_to in [target.to_str().unwrap(), "nowhere"] {
        symlink(leads_to, &folder).unwrap();
        assert_another(&place, "", shown);
        fs::remove_file(&folder).unwrap();
    }
    fs::create_dir(&folder).unwrap();
    place.mode(&folder, 0o750);
    assert_another(&place, "", shown);
    assert_another(&place, &format!("mount --bind /etc {shown}"), shown);
    // What needs no shims goes on: to be inside, and to end it.
    place.ctr(["exec", "bio", "true"]).ok().quiet();
    place.ctr(["stop", "bio"]).ok();
    place.assert_forgotten("bio");
}

#[test]
fn it_is_not_made_where_another_can_put_a_folder_in_its_place() {
    let mut place = Place::new();
    place.start("bio", &[]);
    place.folder("tmp");
    let run = place.path("run");
    let in_run = run.join("ctr");
    for mode in [0o777, 0o770, 0o720] {
        place.mode(&run, mode);
        assert_another(&place, "", in_run.to_str().unwrap());
        assert!(!in_run.exists(), "{mode:o}");
    }
    // Where everybody may move only what is theirs, it is as safe as in /tmp.
    place.mode(&run, 0o1777);
    place.ctr(ENV).ok();
    assert_private(&in_run);
    // As root finds it that has become root in the session of a user: whoever owns the folder above can
    // put another one there. In that world, root's own folders belong to nobody known.
    place.set("XDG_RUNTIME_DIR", "/var/tmp");
    assert_another(&place, "", "/var/tmp/ctr");
    let open_tmp = "chmod 777 /tmp; mount -t tmpfs none /run; true";
    let output = with_own_tmp(&place, open_tmp, &ENV).fails(1);
    output.says(&["/tmp", "XDG_RUNTIME_DIR"]);
    assert!(!output.text().contains("CTR_INSTANCE"), "{output}");
}

/// `/run/user/UID` is there while the user is logged in to the node: a job is told of it, and outlives it.
#[test]
fn a_job_does_not_use_a_folder_that_goes_with_a_logout() {
    let mut place = without_runtime_folder();
    let of_logins = format!("/run/user/{}", nix::unistd::getuid());
    let logged_in =
        format!("mount -t tmpfs none /run; mkdir -p {of_logins}; chmod 700 {of_logins}");
    let is_in = |place: &Place, folder: &str| {
        let code = with_own_tmp(place, &logged_in, &ENV).ok();
        let marked = format!("{folder}/shims/bio");
        assert!(code.text().contains(&marked), "{folder}: {code}");
    };
    is_in(&place, &fallback()); // cron and `su` are told of none
    place.set("XDG_RUNTIME_DIR", &of_logins);
    is_in(&place, &format!("{of_logins}/ctr"));
    for job in ["SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID"] {
        place.set(job, "7");
        is_in(&place, &fallback());
        place.unset(job);
    }
    // What a site makes for the job alone is the job's.
    place.set("SLURM_JOB_ID", "7");
    let own = place.folder("of-job");
    place.mode(&own, 0o700);
    place.set("XDG_RUNTIME_DIR", &own);
    is_in(&place, own.join("ctr").to_str().unwrap());
}
