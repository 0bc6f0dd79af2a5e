//! Images and overlays, made of what the machine has: no network.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::Place;
use super::place::{run_folder, tool};

/// Base images that all tests share. Never written to.
pub struct Images {
    /// A busybox, as a folder. No start script.
    pub sandbox: PathBuf,
    /// The same as a SIF.
    pub sif: PathBuf,
    /// A SIF whose start script prints `service: out`, and `service: err` to stderr, writes its own
    /// environment into the file that `SERVICE_DUMP` names, as a block, and runs on until stopped.
    pub service: PathBuf,
    /// A program that prints what it can see of its own process; `/bin/probe` in each image.
    pub probe: PathBuf,
}

const ENVIRONMENT: &str = "export PATH=/image/bin:$PATH\nexport FROM_IMAGE=yes\n";

const SERVICE: &str = r#"#!/bin/sh
echo "service: out"
echo "service: err" >&2
if [ -n "$SERVICE_DUMP" ]; then
    cat /proc/$$/environ > "$SERVICE_DUMP.part"
    mv "$SERVICE_DUMP.part" "$SERVICE_DUMP"
fi
while :; do sleep 1; done
"#;

/// Makes them the first time.
pub fn images() -> &'static Images {
    static IMAGES: OnceLock<Images> = OnceLock::new();
    IMAGES.get_or_init(|| {
        let folder = run_folder().join("images");
        let tree = folder.join("tree");
        make_busybox(&tree);
        let probe = tree.join("bin/probe");
        compile(include_str!("probe.c"), &probe);
        let path = |name| folder.join(name);
        let (sandbox, sif, service) = (path("busybox"), path("busybox.sif"), path("service.sif"));
        build(&["--sandbox"], &tree, &sandbox);
        build(&[], &tree, &sif);
        write(&tree.join(".singularity.d/startscript"), SERVICE, true);
        build(&[], &tree, &service);
        Images {
            sandbox,
            sif,
            service,
            probe,
        }
    })
}

fn make_busybox(root: &Path) {
    let busybox = tool("busybox");
    for folder in [
        "bin",
        "dev",
        "etc",
        "home",
        "image/bin",
        "proc",
        "root",
        "sys",
        "tmp",
        "usr",
        "var/tmp",
    ] {
        fs::create_dir_all(root.join(folder)).expect("a new folder");
    }
    fs::copy(&busybox, root.join("bin/busybox")).expect("a copy of busybox");
    for library in libraries(&busybox) {
        let inside = root.join(library.strip_prefix("/").expect("ldd prints whole paths"));
        fs::create_dir_all(inside.parent().expect("has a folder")).expect("a new folder");
        fs::copy(&library, inside).expect("a copy of the library");
    }
    let list = Command::new(&busybox)
        .arg("--list")
        .output()
        .expect("busybox runs");
    for applet in String::from_utf8(list.stdout).expect("names").lines() {
        if applet != "busybox" {
            symlink("busybox", root.join("bin").join(applet)).expect("a new link");
        }
    }
    write(
        &root.join("etc/passwd"),
        "root:x:0:0:root:/root:/bin/sh\n",
        false,
    );
    write(&root.join("etc/group"), "root:x:0:\n", false);
    write(
        &root.join(".singularity.d/env/90-environment.sh"),
        ENVIRONMENT,
        true,
    );
}

fn compile(text: &str, to: &Path) {
    let source = tempfile::Builder::new().suffix(".c").tempfile();
    let source = source.expect("a temporary file");
    fs::write(&source, text).expect("a temporary file");
    let mut compiler = Command::new(tool("cc"));
    run(compiler
        .args(["-static", "-O1", "-o"])
        .args([to, source.path()]));
}

/// What a program needs to load; nothing when it is static.
fn libraries(program: &Path) -> Vec<PathBuf> {
    let output = Command::new(tool("ldd"))
        .arg(program)
        .output()
        .expect("ldd runs");
    let text = String::from_utf8(output.stdout).expect("paths");
    let words = text
        .lines()
        .flat_map(|line| line.split_whitespace().find(|word| word.starts_with('/')));
    words
        .filter(|_| output.status.success())
        .map(PathBuf::from)
        .collect()
}

/// Makes an image of a folder; Apptainer adds what it needs to start it.
fn build(options: &[&str], tree: &Path, image: &Path) {
    let place = Place::bare();
    let run = place.apptainer(["-s", "build"]).args(options);
    run.arg(image).arg(tree).ok();
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp")
        .arg("-a")
        .args([from, to])
        .status()
        .expect("cp");
    assert!(status.success(), "cp {from:?} {to:?}");
}

/// Writes a file with the folders above it: 0755 for a program, else 0644.
fn write(path: &Path, content: &str, program: bool) {
    use std::os::unix::fs::PermissionsExt;
    fs::create_dir_all(path.parent().expect("has a folder")).expect("a new folder");
    fs::write(path, content).expect("a new file");
    let mode = if program { 0o755 } else { 0o644 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("my own file");
}

impl Place {
    /// Makes the squashfs overlay `NAME` in the overlay folder; see `overlay_in`.
    pub fn overlay(&self, name: &str, files: &[(&str, &str)]) -> PathBuf {
        self.overlay_in("overlays", name, files)
    }

    /// Makes the squashfs overlay `NAME` (`demo/1.0` → `demo--1.0.sqf`) in a folder of this place.
    /// The files lie below `/cnt/NAME` (`bin/demo` → `/cnt/demo/1.0/bin/demo`), or where a whole
    /// path says; those that begin with `#!` are programs.
    pub fn overlay_in(&self, folder: &str, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let tree = tempfile::tempdir_in(self.path("cache")).expect("a folder");
        let below = Path::new("/cnt").join(name);
        fs::create_dir_all(tree.path().join("cnt").join(name)).expect("a new folder");
        for (path, content) in files {
            let inside = below.join(path);
            let path = tree
                .path()
                .join(inside.strip_prefix("/").expect("is a whole path"));
            write(&path, content, content.starts_with("#!"));
        }
        let file = format!("{folder}/{}.sqf", name.replace('/', "--"));
        self.squashfs(tree.path(), &file)
    }

    /// Makes the overlay `primer3/2.6`: a compiled program with its data, and a sidecar whose
    /// `PRIMER3_CONFIG` says where that is inside. It needs the libraries of `hostos`.
    pub fn primer3(&self) -> PathBuf {
        let tool = std::env::var_os("CTR_TEST_TOOL").map(PathBuf::from);
        let tool = tool.expect("scripts/test gets the program, and names it in CTR_TEST_TOOL");
        let tree = tempfile::tempdir_in(self.path("cache")).expect("a folder");
        let top = tree.path().join("cnt/primer3/2.6");
        fs::create_dir_all(top.join("share")).expect("a new folder");
        copy(&tool.join("usr/bin"), &top.join("bin"));
        copy(&tool.join("etc/primer3_config"), &top.join("share/config"));
        let overlay = self.squashfs(tree.path(), "overlays/primer3--2.6.sqf");
        self.sidecar(&overlay, "PRIMER3_CONFIG=/cnt/primer3/2.6/share/config/\n");
        overlay
    }

    fn squashfs(&self, tree: &Path, below: &str) -> PathBuf {
        let overlay = self.path(below);
        fs::create_dir_all(overlay.parent().expect("has a folder")).expect("a new folder");
        let mut mksquashfs = Command::new(tool("mksquashfs"));
        mksquashfs.arg(tree).arg(&overlay);
        run(mksquashfs.args(["-all-root", "-noappend", "-quiet", "-no-progress"]));
        overlay
    }

    /// Writes `OVERLAY.env`.
    pub fn sidecar(&self, overlay: &Path, text: &str) -> PathBuf {
        let mut path = overlay.as_os_str().to_owned();
        path.push(".env");
        self.write(path, text)
    }

    /// Makes an ext3 overlay in the working folder, with `/ext3/env/bin/tool` inside. `owner` is the
    /// user id that `/upper` belongs to within it.
    pub fn ext3(&self, name: &str, owner: u32) -> PathBuf {
        let tree = tempfile::tempdir_in(self.path("cache")).expect("a folder");
        write(
            &tree.path().join("upper/ext3/env/bin/tool"),
            "#!/bin/sh\necho tool\n",
            true,
        );
        fs::create_dir(tree.path().join("work")).expect("a new folder");
        let image = self.work().join(name);
        let mut mke2fs = Command::new(tool("mke2fs"));
        run(mke2fs
            .args(["-q", "-t", "ext3", "-d"])
            .arg(tree.path())
            .arg(&image)
            .arg("8M"));
        for folder in ["upper", "work", "upper/ext3", "upper/ext3/env"] {
            let request = format!("set_inode_field /{folder} uid {owner}");
            run(Command::new(tool("debugfs"))
                .args(["-w", "-R", &request])
                .arg(&image));
        }
        image
    }

    /// A program that has a folder be a file system that answers nobody, in a mount namespace of its own.
    pub fn hang(&self) -> PathBuf {
        let program = self.path("cache/hang");
        compile(include_str!("hang.c"), &program);
        program
    }

    /// A program that takes the name of a lock as another user, and answers nobody.
    pub fn squat(&self) -> PathBuf {
        let program = self.path("cache/squat");
        compile(include_str!("squat.c"), &program);
        program
    }

    /// A base image of this place's own: the busybox with these files added, by their whole paths.
    pub fn sandbox(&self, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let folder = self.folder("images").join(name);
        copy(&images().sandbox, &folder);
        for (path, content) in files {
            let path = folder.join(path.strip_prefix('/').expect("a whole path"));
            write(&path, content, content.starts_with("#!"));
        }
        folder
    }
}

#[track_caller]
fn run(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (stdout, stderr) = (output.stdout.escape_ascii(), output.stderr.escape_ascii());
    assert!(output.status.success(), "{command:?}: {stdout} {stderr}");
}
