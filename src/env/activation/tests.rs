use super::*;
use proptest::prelude::*;

fn here() -> PidScope {
    PidScope {
        boot_id: "b".into(),
        pid_namespace: 7,
    }
}

fn entered(variables: &Variables, name: &str, set: &[(&str, &str)]) -> Variables {
    let entry = format!("/run/{name}");
    let activation = Activation {
        instance: name,
        process: (7, 70),
        path_entry: OsStr::new(&entry),
        here: &here(),
    };
    let change = enter(variables, &activation, set.iter().copied());
    let mut after = variables.clone();
    apply(&mut after, &change.statements);
    after
}

fn left(variables: &Variables) -> Variables {
    let mut after = variables.clone();
    apply(&mut after, &leave(variables).statements);
    after
}

fn shell(pairs: &[(&str, &[u8])]) -> Variables {
    pairs
        .iter()
        .map(|(name, value)| (name.into(), OsString::from_vec(value.to_vec())))
        .collect()
}

#[test]
fn leaving_restores_unset_empty_and_odd_bytes() {
    let before = shell(&[("PATH", b"/bin"), ("EMPTY", b""), ("ODD", b"\xff\n'")]);
    let inside = entered(&before, "bio", &[("EMPTY", "x"), ("ODD", "y"), ("NEW", "")]);
    assert_eq!(inside[OsStr::new("PATH")], "/run/bio:/bin");
    let active = active(&inside, &here()).unwrap();
    assert_eq!(
        (active.name.as_str(), active.process),
        ("bio", Some((7, 70)))
    );
    assert_eq!(left(&inside), before);
    assert_eq!(without(&inside), before);
}

#[test]
fn what_the_user_changed_since_stays() {
    let before = shell(&[("PATH", b"/bin"), ("A", b"old")]);
    let mut inside = entered(&before, "bio", &[("A", "new"), ("B", "new")]);
    inside.insert("A".into(), "mine".into());
    inside.remove(OsStr::new("B"));
    inside.insert("PATH".into(), "/first:/run/bio:/bin:/last".into());
    let after = left(&inside);
    assert_eq!(
        after,
        shell(&[("PATH", b"/first:/bin:/last"), ("A", b"mine")])
    );
    assert_eq!(leave(&inside).kept, ["A", "B"]);
}

#[test]
fn another_instance_leaves_the_first_and_twice_is_once() {
    let before = shell(&[("PATH", b"/bin")]);
    let once = entered(&before, "one", &[("A", "1")]);
    assert_eq!(entered(&once, "one", &[("A", "1")]), once);
    let other = entered(&once, "two", &[("B", "2")]);
    assert!(!other.contains_key(OsStr::new("A")));
    assert_eq!(left(&other), before);
}

#[test]
fn what_an_environment_says_of_a_name_is_checked() {
    let hash = hash(OsStr::new("x"));
    for name in [
        "A;touch pwned;#",
        "a[$(touch pwned)]",
        "__ctr_was_A",
        "PROMPT_COMMAND",
        "BASH_ENV",
        "PATH",
        "CTR_RESTORE",
    ] {
        let list = format!("{name}:{hash}:o");
        let old = format!("CTR_OLD_{name}");
        let forged = shell(&[
            ("CTR_RESTORE", list.as_bytes()),
            (name, b"x"),
            (&old, b"pwned"),
        ]);
        for statement in leave(&forged).statements {
            let only_takes_away = matches!(statement, Statement::Unset { .. });
            assert!(only_takes_away, "{statement:?}");
            assert!(
                statement.name().is_some_and(is_variable_name),
                "{statement:?}"
            );
        }
        let set = entered(&shell(&[]), "bio", &[(name, "pwned"), ("A", "1")]);
        assert!(!set.values().any(|value| value == "pwned"), "{name}");
        assert_eq!(set[OsStr::new("A")], "1");
    }
}

#[test]
fn a_path_that_was_not_set_is_not_set_again() {
    for before in [shell(&[]), shell(&[("PATH", b"")])] {
        assert_eq!(left(&entered(&before, "bio", &[])), before);
    }
}

#[test]
fn an_activation_of_another_place_is_told() {
    let inside = entered(&Variables::new(), "bio", &[]);
    let elsewhere = PidScope {
        boot_id: "c".into(),
        ..here()
    };
    assert!(active(&inside, &here()).unwrap().here);
    assert!(!active(&inside, &elsewhere).unwrap().here);
    assert_eq!(active(&Variables::new(), &here()), None);
}

#[test]
fn path_is_held_against_what_is_active() {
    let [a, b] = ["/run/user/1/ctr/shims/a", "/run/user/1/ctr/shims/b"];
    let held = format!(":{a}:{b}:/usr/bin:");
    let holds = |active: &str, path: &str| {
        let variables = shell(&[
            ("PATH", path.as_bytes()),
            ("CTR_PATH_ENTRY", active.as_bytes()),
        ]);
        match hold(&variables, OsStr::new(&held)) {
            Some(Statement::Override { value, .. }) => Some(value.into_string().unwrap()),
            Some(other) => panic!("{other:?}"),
            None => None,
        }
    };
    let path = |members: &[&str]| members.join(":");
    // As it should be, wherever the folder is.
    for (active, members) in [
        (a, &[a, "/usr/bin"][..]),
        (a, &["/first", a, "", "/usr/bin"]),
        ("", &["/usr/bin", "", "/bin"]),
        ("/other/ctr/shims/c", &["/usr/bin"]),
    ] {
        assert_eq!(holds(active, &path(members)), None, "{members:?}");
    }
    for (active, members, expected) in [
        (a, &["/usr/bin", "/bin"][..], &[a, "/usr/bin", "/bin"][..]),
        (a, &["/v", a, "/bin", a], &["/v", a, "/bin"]),
        (a, &[b, "/bin"], &[a, "/bin"]),
        ("", &["/v", a, "", b], &["/v", ""]),
    ] {
        assert_eq!(
            holds(active, &path(members)),
            Some(path(expected)),
            "{members:?}"
        );
    }
    assert_eq!(hold(&shell(&[]), OsStr::new(&held)), None);
}

proptest! {
    #[test]
    fn whatever_is_set_leaving_gives_back_what_was(
        old in proptest::collection::btree_map("[A-E]", proptest::option::of(".{0,9}"), 0..5),
        new in proptest::collection::btree_map("[A-E]", ".{0,9}", 0..5),
    ) {
        let mut before = shell(&[("PATH", b"/a::/b:")]);
        before.extend(old.into_iter().filter_map(|(k, v)| Some((k.into(), v?.into()))));
        let set: Vec<_> = new.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        prop_assert_eq!(left(&entered(&before, "x", &set)), before);
    }
}
