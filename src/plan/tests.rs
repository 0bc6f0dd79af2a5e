use super::*;
use crate::names::Assignment;

fn assignment(text: &str) -> Assignment {
    text.parse().unwrap()
}

fn resolved(overlays: Vec<Overlay>) -> Resolved {
    Resolved {
        name: "bio".into(),
        base_image: BaseImage {
            label: "/base.sif".into(),
            file: "/base.sif".into(),
        },
        overlays,
        binds: vec!["/data".into()],
        implicit_binds: Vec::new(),
        host_folders: Vec::new(),
        host_links: Default::default(),
        working_folder: None,
        start_folder: None,
        config_file: None,
        environment: Vec::new(),
        withheld: Vec::new(),
        doubts: Vec::new(),
        notes: Vec::new(),
        gpu: Vec::new(),
        fakeroot: false,
        writable: false,
        apptainer_flags: Vec::new(),
        nesting: 0,
        uid: 1000,
    }
}

fn squashfs(path: &str, bin_folders: &[&str]) -> Overlay {
    Overlay {
        path: path.into(),
        content: Content::Squashfs {
            bin_folders: bin_folders.iter().map(|folder| (*folder).into()).collect(),
            unread: None,
        },
        embedded: Vec::new(),
        at_top: Vec::new(),
        sidecar: None,
    }
}

fn ext3(path: &str, writable: bool, owner: Option<u32>) -> Overlay {
    Overlay {
        path: path.into(),
        content: Content::Ext3 { writable, owner },
        embedded: Vec::new(),
        at_top: Vec::new(),
        sidecar: None,
    }
}

fn with_sidecar(mut overlay: Overlay, variables: &[&str], notes: &[&str]) -> Overlay {
    overlay.sidecar = Some(Sidecar {
        path: format!("{}.env", overlay.path.display()).into(),
        variables: variables.iter().map(|text| assignment(text)).collect(),
        notes: notes.iter().map(|text| assignment(text)).collect(),
        ..Sidecar::default()
    });
    overlay
}

fn planned(resolved: Resolved) -> InstanceSpec {
    start(resolved).unwrap().spec
}

#[test]
fn the_ext3_overlay_is_mounted_last_and_its_programs_win() {
    let spec = planned(resolved(vec![
        ext3("/o/env.img", false, None),
        squashfs("/o/a--1.sqf", &["/cnt/a/1/bin"]),
        squashfs("/o/b--1.sqf", &[]),
    ]));
    assert_eq!(spec.overlays, ["/o/a--1.sqf", "/o/b--1.sqf", "/o/env.img"]);
    let paths: Vec<_> = spec.env.iter().filter(|e| e.starts_with("PATH=")).collect();
    assert_eq!(
        paths,
        ["PATH=/cnt/a/1/bin:$PATH", "PATH=/ext3/env/bin:$PATH"]
    );
}

#[test]
fn a_second_ext3_overlay_is_refused() {
    let two = vec![ext3("/a.img", false, None), ext3("/b.img", true, None)];
    let error = start(resolved(two)).unwrap_err();
    assert_eq!(error.message, "only one .img overlay is allowed, found 2");
    assert!(error.hint.unwrap().contains("/b.img"));
}

#[test]
fn variables_go_from_weak_to_strong() {
    let overlay = with_sidecar(
        ext3("/e.img", false, None),
        &["LANG=sidecar", "K=sidecar"],
        &[],
    );
    let mut request = resolved(vec![overlay]);
    request.environment = vec![assignment("K=user"), assignment("CONDA_PREFIX=/mine")];
    let spec = planned(request);
    assert_eq!(spec.value("LANG"), Some("C.UTF-8"));
    assert_eq!(spec.value("K"), Some("user"));
    assert_eq!(spec.value("CONDA_PREFIX"), Some("/mine"));
    assert_eq!(spec.value("CONDA_DEFAULT_ENV"), Some("env"));
    assert_eq!(spec.value("CNT_CONDA_PREFIX"), None);
    assert_eq!(spec.host_env, ["CONDA_PREFIX", "K"]);
}

#[test]
fn a_later_sidecar_wins_and_says_so() {
    let plan = start(resolved(vec![
        with_sidecar(squashfs("/a.sqf", &[]), &["K=a", "L=l"], &["K=of a"]),
        with_sidecar(squashfs("/b.sqf", &[]), &["K=b"], &["K=of b"]),
    ]))
    .unwrap();
    assert_eq!(plan.spec.value("K"), Some("b"));
    assert_eq!(plan.spec.notes["K"], "of b");
    assert_eq!(
        plan.spec.notes["L"], "l",
        "without a note, the value is shown"
    );
    let said = "/b.sqf.env sets K again, and wins".to_owned();
    assert_eq!(plan.messages, [Message::Note(said)]);
}

#[test]
fn what_a_shell_would_execute_is_refused_in_a_sidecar() {
    for line in ["PS1=$(id)", "PROMPT_COMMAND=id", "HOME=/x"] {
        let overlay = with_sidecar(squashfs("/a.sqf", &[]), &[line], &[]);
        let error = start(resolved(vec![overlay])).unwrap_err();
        assert!(error.message.contains("/a.sqf.env"), "{error}");
        assert!(
            error.message.contains(line.split('=').next().unwrap()),
            "{error}"
        );
    }
}

#[test]
fn an_untrusted_sidecar_stays_out_of_the_hosts_shell() {
    let mut overlay = with_sidecar(
        squashfs("/a.sqf", &[]),
        &["GENOME=/g", "PATH=/x:$PATH"],
        &[],
    );
    overlay.sidecar.as_mut().unwrap().distrust = Some("/a.sqf.env can be written by others".into());
    let mut request = resolved(vec![overlay]);
    request.environment = vec![assignment("MINE=1"), assignment("PYTHONPATH=/p")];
    let spec = planned(request);
    assert_eq!(spec.host_env, ["MINE"]);
    assert_eq!(spec.withheld[0].names, ["GENOME"]);
    assert_eq!(
        spec.value("GENOME"),
        Some("/g"),
        "inside it is set all the same"
    );
}

#[test]
fn of_a_sidecar_the_host_is_given_paths_of_its_own_and_what_a_line_names() {
    let mut demo = with_sidecar(
        squashfs("/o/demo--1.sqf", &["/cnt/other/1/bin"]),
        &[
            "GENOME=/cnt/demo/1/g.fa",
            "OTHER=/cnt/other/1/x",
            "FOREIGN=/cnt/foreign/x",
            "THREADS=4",
            "NAMED=yes",
            "RPS1=/cnt/demo/1/x",
            "TMOUT=1",
            "TMPDIR=/cnt/demo/tmp",
            "KUBECONFIG=/cnt/demo/k",
            "TWICE=/cnt/demo/1/x",
            "TWICE=/etc",
        ],
        &[],
    );
    let sidecar = demo.sidecar.as_mut().unwrap();
    sidecar.for_host = ["NAMED", "TMOUT", "KUBECONFIG", "PATH", "UNSET"]
        .map(Into::into)
        .into();
    let mut env = with_sidecar(ext3("/o/e.img", false, None), &["DATA=/ext3/data"], &[]);
    env.sidecar.as_mut().unwrap().for_host = vec!["NAMED".into()];
    let spec = planned(resolved(vec![demo, env]));
    assert_eq!(
        spec.host_env,
        ["DATA", "GENOME", "KUBECONFIG", "NAMED", "OTHER"]
    );
    let left = &spec.withheld[0];
    assert_eq!(left.names, ["FOREIGN", "THREADS", "TMPDIR", "TWICE"]);
    assert!(
        left.reason.contains("/cnt/demo or /cnt/other"),
        "{}",
        left.reason
    );
    assert_eq!(spec.withheld.len(), 1);
}

#[test]
fn the_last_word_on_a_variable_says_whether_the_host_is_given_it() {
    let first = with_sidecar(
        squashfs("/o/a--1.sqf", &[]),
        &["X=/cnt/a/x", "Y=/cnt/a/y"],
        &[],
    );
    let mut second = with_sidecar(squashfs("/o/b--1.sqf", &[]), &["X=/cnt/b/x"], &[]);
    second.sidecar.as_mut().unwrap().distrust = Some("others may write it".into());
    let mut request = resolved(vec![first, second]);
    request.environment = vec![assignment("Y=mine")];
    let spec = planned(request.clone());
    assert_eq!(spec.host_env, ["Y"]);
    assert_eq!(spec.withheld.len(), 1);
    assert_eq!(spec.withheld[0].names, ["X"]);
    request.environment.push(assignment("X=mine"));
    let spec = planned(request);
    assert_eq!((spec.host_env.len(), spec.withheld.len()), (2, 0));
}

#[test]
fn the_owner_of_an_ext3_overlay_switches_fakeroot_on() {
    let spec = |writable, owner| {
        start(resolved(vec![ext3("/e.img", writable, owner)]))
            .map(|plan| (plan.spec.fakeroot, plan.messages.first().cloned()))
    };
    assert_eq!(spec(true, Some(1000)).unwrap(), (false, None));
    assert_eq!(spec(false, Some(0)).unwrap(), (false, None));
    assert_eq!(spec(true, None).unwrap(), (false, None));
    assert!(matches!(
        spec(true, Some(0)).unwrap(),
        (true, Some(Message::Note(_)))
    ));
    assert!(matches!(
        spec(true, Some(77)).unwrap(),
        (true, Some(Message::Warning(_)))
    ));
}

#[test]
fn levels_are_counted() {
    let mut request = resolved(Vec::new());
    request.nesting = 1;
    let spec = planned(request);
    assert_eq!(spec.value("IN_CONDATAINER"), Some("2"));
    assert!(spec.value("PS1").unwrap().starts_with("bio_2 "));
    assert_eq!(spec.value("CTR_INSTANCE"), Some("bio"));
}

#[test]
fn hostos_keeps_its_own_locale_and_has_nothing_to_write_to() {
    let mut request = resolved(Vec::new());
    request.base_image.label = HOSTOS.into();
    assert_eq!(planned(request.clone()).value("LANG"), None);
    request.writable = true;
    let error = start(request.clone()).unwrap_err();
    assert!(error.message.contains("read-only"), "{error}");
    request.overlays = vec![ext3("/e.img", true, Some(0))];
    let error = start(request).unwrap_err();
    assert!(error.message.contains("package managers"), "{error}");
}

#[test]
fn what_apptainer_cannot_carry_stops_the_plan() {
    let mut request = resolved(Vec::new());
    request.environment = vec![assignment("UID=3")];
    assert!(start(request).unwrap_err().message.contains("`UID`"));
}
