//! What a squashfs overlay brings: folders of programs, what the reference wrote into it, and what
//! lies beside `/cnt`.

mod image;
mod unpack;

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::build_script;
use super::overlays::Found;
use crate::bounds::CONTENTS;
use crate::engine;
use crate::error::{Error, Kind, Result};
use crate::host::cache::Cache;
use crate::plan::{AtTop, Form};
use image::{Entry, Image, Unread};

/// The folder that holds the content of an overlay.
const TOP: &str = "cnt";
const PROGRAMS: &str = "bin";

/// What is remembered of an overlay. The number rises with what is asked.
const QUESTION: &str = "squashfs-content-2";

/// Longest build script that is read.
const LONGEST_SCRIPT: usize = 256 * 1024;

/// Most folders that are looked into.
const MOST_FOLDERS: usize = 5_000;

/// What is in an overlay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brought {
    /// The folders of programs, as paths inside, weakest first.
    pub bin_folders: Vec<String>,
    /// What its build scripts say, weakest first.
    pub scripts: Vec<Script>,
    /// What lies at its top beside `/cnt`.
    pub at_top: Vec<AtTop>,
    /// Why nothing is known of it.
    #[serde(skip)]
    pub unread: Option<String>,
}

/// A build script of the reference, as far as it speaks of variables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    /// The folder that it is in, which is what `$app_root` stands for.
    pub folder: String,
    /// The lines that matter.
    pub text: String,
    /// Why it could not be read.
    pub fault: Option<String>,
}

/// Looks into an overlay.
///
/// Its programs are those of each `/cnt/<name>/<version>/bin` or, in a bundle, `/cnt/<name>/bin` that it
/// holds; the folder that the overlay is named for comes before the others, as what it says does. Data
/// overlays (more than one slash in the name) add none. An image that cannot be read is taken to be
/// what its name says: Apptainer may well be able to mount it.
///
/// # Errors
/// The file is no squashfs image.
pub fn look(overlay: &Found, cache: &Cache) -> Result<Brought> {
    let named = format!("/{TOP}/{}", overlay.name);
    let is_data = overlay.name.matches('/').count() > 1;
    let mut damage = None;
    let recalled = cache.get_or_compute(QUESTION, &overlay.path, || {
        // Its file server may not answer.
        let read = engine::ask(CONTENTS, || read(&overlay.path, &overlay.name));
        let silent = |why: engine::Unanswered| Err(Unread::Failed(why.to_string()));
        read.unwrap_or_else(silent).map_err(|unread| match unread {
            Unread::NoImage => no_image(&overlay.path),
            Unread::Failed(why) => {
                let error = Error::io(overlay.path.display(), &why);
                damage = Some(why);
                error
            }
        })
    });
    let mut brought = match (recalled, damage) {
        (Ok(brought), _) => brought,
        (Err(_), Some(damage)) => Brought {
            bin_folders: vec![format!("{named}/{PROGRAMS}")],
            unread: Some(damage),
            ..Brought::default()
        },
        (Err(error), None) => return Err(error),
    };
    let programs = format!("{named}/{PROGRAMS}");
    if is_data {
        brought.bin_folders.clear();
    }
    // The last one is the strongest.
    brought
        .bin_folders
        .sort_by_key(|folder| *folder == programs);
    brought.scripts.sort_by_key(|script| script.folder == named);
    Ok(brought)
}

fn no_image(path: &Path) -> Error {
    let message = format!("{} is not a squashfs image", path.display());
    Error::new(Kind::Setup, message).hint("make it again with mksquashfs")
}

/// Reads `/cnt`, the folders in it, and the folders in those; beyond that, only those of the name.
fn read(path: &Path, name: &str) -> std::result::Result<Brought, Unread> {
    let image = Image::open(path)?;
    let mut walk = Walk {
        image: &image,
        named: format!("/{TOP}/{name}"),
        brought: Brought::default(),
        looked_into: 0,
    };
    for entry in image.top()? {
        let name_of = String::from_utf8_lossy(&entry.name).into_owned();
        if name_of != TOP {
            let form = form(&image, &entry)?;
            let name = name_of;
            walk.brought.at_top.push(AtTop { name, form });
            continue;
        }
        for bundle in image.entries(&entry)? {
            walk.bundle(&bundle)?;
        }
        if name.matches('/').count() > 1 {
            walk.follow(entry, name)?;
        }
    }
    Ok(walk.brought)
}

fn form(image: &Image, entry: &Entry) -> std::io::Result<Form> {
    Ok(match entry.kind {
        image::Kind::Folder if image.entries(entry)?.is_empty() => Form::EmptyFolder,
        image::Kind::Folder => Form::Folder,
        image::Kind::Link => {
            Form::Link(String::from_utf8_lossy(&image.target(entry)?).into_owned())
        }
        image::Kind::File | image::Kind::Other => Form::Other,
    })
}

struct Walk<'a> {
    image: &'a Image,
    /// The folder that the overlay is named for.
    named: String,
    brought: Brought,
    looked_into: usize,
}

impl Walk<'_> {
    /// `/cnt/<name>`, and its versions when it has no programs of its own.
    fn bundle(&mut self, bundle: &Entry) -> std::io::Result<()> {
        let Some(folder) = below(&format!("/{TOP}"), bundle) else {
            return Ok(());
        };
        for version in &self.look_into(&folder, bundle)? {
            if version.name == PROGRAMS.as_bytes() {
                continue;
            }
            if let Some(folder) = below(&folder, version) {
                self.look_into(&folder, version)?;
            }
        }
        // What a bundle has beside its programs are no versions, but for the one of the name.
        let own = format!("{folder}/{PROGRAMS}");
        if self.brought.bin_folders.contains(&own) {
            let start = format!("{folder}/");
            let kept = [own, format!("{}/{PROGRAMS}", self.named)];
            let is_kept = |folder: &String| !folder.starts_with(&start) || kept.contains(folder);
            self.brought.bin_folders.retain(is_kept);
        }
        Ok(())
    }

    /// The folder of a name with more parts than two.
    fn follow(&mut self, top: Entry, name: &str) -> std::io::Result<()> {
        let mut here = top;
        for part in name.split('/') {
            let entries = self.image.entries(&here)?;
            let found = entries
                .into_iter()
                .find(|entry| entry.name == part.as_bytes());
            let Some(found) = found else {
                return Ok(());
            };
            here = found;
        }
        self.looked_into = 0;
        let named = self.named.clone();
        self.look_into(&named, &here).map(drop)
    }

    /// Notes what matters in a folder; gives its entries.
    fn look_into(&mut self, folder: &str, entry: &Entry) -> std::io::Result<Vec<Entry>> {
        if entry.kind != image::Kind::Folder || self.looked_into >= MOST_FOLDERS {
            return Ok(Vec::new());
        }
        self.looked_into += 1;
        let entries = self.image.entries(entry)?;
        for entry in &entries {
            match (entry.name.as_slice(), entry.kind) {
                (name, image::Kind::Folder | image::Kind::Link) if name == PROGRAMS.as_bytes() => {
                    self.brought
                        .bin_folders
                        .push(format!("{folder}/{PROGRAMS}"));
                }
                (name, image::Kind::File) if name == build_script::NAME.as_bytes() => {
                    let read = self.image.read(entry, LONGEST_SCRIPT);
                    self.brought.scripts.push(Script {
                        folder: folder.to_owned(),
                        fault: read.as_ref().err().map(ToString::to_string),
                        text: build_script::that_matters(&read.unwrap_or_default()),
                    });
                }
                _ => {}
            }
        }
        Ok(entries)
    }
}

/// The path of an entry, when it can be said in a variable.
fn below(folder: &str, entry: &Entry) -> Option<String> {
    let name = std::str::from_utf8(&entry.name).ok()?;
    (!name.contains(':')).then(|| format!("{folder}/{name}"))
}
