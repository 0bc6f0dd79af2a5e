//! Files that never come to an end, and programs of an image that do not: a FIFO, a link to `/dev/zero`,
//! a `cat` that sleeps. `Run` fails a command that never ends, and the memory of each is limited here.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::support::{Place, Run};

/// A FIFO and a link to a device, beside `path`.
fn traps(place: &Place, path: &Path) -> [PathBuf; 2] {
    let with = |ending: &str| {
        let mut path = path.as_os_str().to_owned();
        path.push(ending);
        PathBuf::from(path)
    };
    let (fifo, zero) = (with(".fifo"), with(".zero"));
    place.program("mkfifo").arg(&fifo).ok();
    symlink("/dev/zero", &zero).unwrap();
    [fifo, zero]
}

/// `ctr` with half a gigabyte of memory.
fn frugal(place: &Place, args: &[&str]) -> Run {
    let shell = place.program("sh");
    let run = shell.args(["-c", "ulimit -v 524288; exec \"$@\"", "sh"]);
    run.arg(place.path("bin/ctr")).args(args)
}

#[test]
fn a_configuration_that_is_no_file_is_named() {
    let mut place = Place::new();
    place.folder("config/ctr");
    for trap in traps(&place, &place.path("config/ctr/config.toml")) {
        let file = place.path("config/ctr/config.toml");
        symlink(&trap, &file).unwrap();
        let said = frugal(&place, &["list"]).fails(1);
        said.says(&[file.to_str().unwrap(), "it is not a regular file", "hint: "]);
        let tab = frugal(&place, &["--", "ctr sto", "sto"])
            .env("CTR_COMPLETE", "bash")
            .ok();
        assert!(tab.text().contains("stop"), "{tab}");
        std::fs::remove_file(&file).unwrap();
        place.set("CTR_CONFIG", &trap);
        frugal(&place, &["list"])
            .fails(1)
            .says(&[trap.to_str().unwrap(), "CTR_CONFIG"]);
        place.unset("CTR_CONFIG");
    }
}

#[test]
fn an_image_or_overlay_or_sidecar_that_is_no_file_is_refused() {
    let place = Place::new();
    let overlay = place.overlay("demo/1.0", &[("bin/demo", "#!/bin/sh\n")]);
    let sidecar = place.path("overlays/demo--1.0.sqf.env");
    for trap in traps(&place, &place.path("cache/trap")) {
        let trap = trap.to_str().unwrap();
        symlink(trap, &sidecar).unwrap();
        let said = frugal(&place, &["start", "-o", "demo/1.0", "bio"]).fails(1);
        said.says(&[
            sidecar.to_str().unwrap(),
            "it is not a regular file",
            "hint: ",
        ]);
        std::fs::remove_file(&sidecar).unwrap();
        for ending in ["sqf", "img"] {
            let file = place.work().join(format!("trap.{ending}"));
            symlink(trap, &file).unwrap();
            let file = file.to_str().unwrap();
            for word in [file.to_owned(), format!("{file}:ro")] {
                frugal(&place, &["start", "-o", &word, "bio"])
                    .fails(1)
                    .says(&[file]);
            }
            frugal(&place, &["start", "-w", "-o", file, "bio"])
                .fails(1)
                .says(&[file]);
            std::fs::remove_file(file).unwrap();
        }
        let said = frugal(&place, &["start", "-b", trap, "bio"]).fails(1);
        said.says(&["cannot open", "it is not a regular file"]);
    }
    // In place of one that was there when it was started.
    place.start("bio", &["-o", "demo/1.0"]);
    place.ctr(["stop", "--keep", "bio"]).ok();
    std::fs::remove_file(&overlay).unwrap();
    place.program("mkfifo").arg(&overlay).ok();
    let said = frugal(&place, &["restart", "bio"]).fails(1);
    said.says(&[overlay.to_str().unwrap()]);
}

#[test]
fn a_state_or_record_that_has_no_end_is_passed_over() {
    let place = Place::new();
    place.start("bio", &[]);
    let folder = place.state_file("bio").parent().unwrap().to_owned();
    place.program("mkfifo").arg(folder.join("fifo.json")).ok();
    let sparse = std::fs::File::create(folder.join("sparse.json")).unwrap();
    sparse.set_len(1 << 40).unwrap();
    let record = place.record("bio").path;
    let other = record.parent().unwrap().parent().unwrap().join("other");
    std::fs::create_dir(&other).unwrap();
    place.program("mkfifo").arg(other.join("other.json")).ok();
    let list = frugal(&place, &["list"]).ok();
    list.says(&["fifo.json", "sparse.json"]);
    assert!(list.text().contains("bio"), "{list}");
    frugal(&place, &["stop", "bio"]).ok();
}

#[test]
fn a_script_of_an_image_that_is_no_file_holds_nobody() {
    let place = Place::new();
    let image = place.sandbox("own", &[]);
    place.start("bio", &["-b", image.to_str().unwrap()]);
    let scripts = image.join(".singularity.d/env");
    // Apptainer itself would wait for the FIFO: it comes when the instance runs.
    place.program("mkfifo").arg(scripts.join("50-fifo.sh")).ok();
    let tab = |line: &str| {
        let word = line.rsplit(' ').next().unwrap().to_owned();
        let run = frugal(&place, &["--", line, &word]);
        run.env("CTR_COMPLETE", "bash").ok().text().to_owned()
    };
    assert!(tab("ctr exec bio whoam").contains("whoami"));
    let said = place
        .ctr(["exec", "--join", "direct", "bio", "true"])
        .fails(125);
    said.says(&["50-fifo.sh", "no file of its own"]);
    std::fs::remove_file(scripts.join("50-fifo.sh")).unwrap();
    symlink("/dev/zero", scripts.join("50-zero.sh")).unwrap();
    assert!(tab("ctr exec bio whoam").contains("whoami"));
    std::fs::remove_file(scripts.join("50-zero.sh")).unwrap();
    std::fs::write(scripts.join("50-large.sh"), vec![b'#'; 5 << 20]).unwrap();
    assert!(tab("ctr exec bio whoam").contains("whoami"));
    let said = place
        .ctr(["exec", "--join", "direct", "bio", "true"])
        .fails(125);
    said.says(&["50-large.sh", "larger"]);
}

#[test]
fn an_image_whose_cat_does_not_end_goes_through_apptainer() {
    for cat in ["#!/bin/sh\nexec sleep 100000\n", "#!/bin/sh\nexec yes\n"] {
        let place = Place::new();
        let image = place.sandbox("own", &[]);
        std::fs::remove_file(image.join("bin/cat")).unwrap();
        place.write_program(image.join("bin/cat"), cat);
        place.start("bio", &["-b", image.to_str().unwrap()]);
        let said = place.ctr(["exec", "-v", "bio", "echo", "hi"]).ok();
        assert_eq!(said.text(), "hi\n");
        said.says(&["goes through Apptainer", "was given up"]);
        // Once is enough.
        assert_eq!(place.state("bio")["joins"].as_array().unwrap().len(), 1);
        let again = place.ctr(["exec", "bio", "echo", "hi"]).ok();
        assert_eq!(again.quiet().text(), "hi\n");
        place.ctr(["stop", "bio"]).ok();
        place.assert_clean();
    }
}
