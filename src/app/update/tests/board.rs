//! The rows, the cursor and the way back.

use super::*;

#[test]
fn the_worst_row_is_first_and_has_the_cursor_until_a_key_is_pressed() {
    let mut model = start();
    put(&mut model, &[steady("auth"), steady("billing")]);
    assert_eq!(
        (names(&model), cursor(&model)),
        (vec!["auth", "billing"], "auth")
    );
    put(&mut model, &[stalled("search")]);
    assert_eq!(
        (names(&model), cursor(&model)),
        (vec!["search", "auth", "billing"], "search")
    );
    assert_eq!(model.board.tally.stalled, 1);
    keys(&mut model, "j");
    assert_eq!(cursor(&model), "auth");
    put(&mut model, &[stalled("billing")]);
    assert_eq!(cursor(&model), "auth", "rows move, the selection does not");
}

#[test]
fn when_the_object_goes_the_neighbour_takes_over_and_that_is_said() {
    let mut model = fleet();
    keys(&mut model, "j");
    let (id, uid) = model.board.cursor.clone().unwrap();
    let gone = Update::Change(Change::Gone(ItemId::Workload(id, uid)));
    news(&mut model, source(Kind::Deployment, None), vec![gone]);
    assert_eq!(cursor(&model), "billing");
    assert!(model.notice.unwrap().text.contains("deploy/auth is gone"));
}

#[test]
fn back_never_quits_and_ctrl_c_does() {
    let mut model = fleet();
    assert_eq!(
        keys(&mut model, "qqq\x1b\x1b")
            .iter()
            .filter(|e| **e == Effect::Quit)
            .count(),
        0
    );
    assert!(model.notice.as_ref().unwrap().text.contains(":q"));
    assert_eq!(keys(&mut model, "^c"), [Effect::Quit]);
    assert_eq!(keys(&mut model, ":q\n"), [Effect::Quit]);
    assert_eq!(keys(&mut model, ":suspend\n"), [Effect::Suspend]);
}

#[test]
fn one_change_among_thousands_touches_one_row() {
    let mut model = start();
    let many: Vec<_> = (0..5_010).map(|i| steady(&format!("s{i:04}"))).collect();
    put(&mut model, &many);
    assert_eq!(model.board.rows.len(), 5_010);
    let before: BTreeMap<_, _> = model
        .board
        .rows
        .iter()
        .map(|r| (r.id.clone(), r.clone()))
        .collect();
    put(&mut model, &[stalled("s2500")]);
    let changed = model
        .board
        .rows
        .iter()
        .filter(|r| before[&r.id] != **r)
        .count();
    assert_eq!((changed, cursor(&model)), (1, "s2500"));
    assert_eq!(model.board.rows[0].standing.phase, Phase::Stalled);
}
