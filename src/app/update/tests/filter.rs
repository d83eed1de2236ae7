//! The filter of the board by labels, and what a plan takes as shown.

use super::*;
use crate::domain::{Labels, TemplateHash};

fn labelled(name: &str, labels: &[(&str, &str)]) -> Workload {
    let mut workload = steady(name);
    workload.labels = Labels::new(labels.iter().copied());
    workload
}

#[test]
fn labels_narrow_the_rows() {
    let mut model = start();
    let cart = labelled("cart", &[("team", "buy"), ("tier", "front")]);
    let checkout = labelled("checkout", &[("team", "buy")]);
    put(&mut model, &[cart, checkout, labelled("search", &[])]);
    for (filter, want) in [
        ("-l team=buy", vec!["cart", "checkout"]),
        ("-lteam=buy,tier", vec!["cart"]),
        ("-l team=buy !cart", vec!["checkout"]),
        ("-l !team", vec!["search"]),
        ("-l tier!=front check", vec!["checkout"]),
        ("-l", vec!["cart", "checkout", "search"]),
        ("-l =", vec![]),
    ] {
        keys(&mut model, "/^u");
        keys(&mut model, filter);
        keys(&mut model, "\n");
        assert_eq!(names(&model), want, "{filter}");
    }
}

#[test]
fn a_label_that_changes_alone_brings_and_takes_its_row() {
    let mut model = start();
    put(&mut model, &[labelled("cart", &[]), labelled("auth", &[])]);
    keys(&mut model, "/-l team\n");
    model.board.held = false;
    assert_eq!(names(&model), Vec::<&str>::new());
    put(&mut model, &[labelled("cart", &[("team", "buy")])]);
    assert_eq!(names(&model), ["cart"]);
    put(&mut model, &[labelled("cart", &[])]);
    assert_eq!(names(&model), Vec::<&str>::new());
}

#[test]
fn a_plan_takes_as_shown_what_the_row_showed() {
    let mut model = fleet();
    let mut moved = stalled("checkout");
    moved.template = TemplateHash::of("another");
    let put = Change::Put(Item::Workload(Box::new(moved)));
    // The fleet knows more than the rows do between a batch of news and the next frame.
    let source = source(Kind::Deployment, None);
    model.fleet.apply(&source, put);
    let effects = keys(&mut model, "R");
    let shown = effects.iter().find_map(|effect| match effect {
        Effect::Gather { request, .. } => Some(request.shown),
        _ => None,
    });
    assert_eq!(shown, Some(stalled("checkout").template));
}

#[test]
fn the_filter_takes_all_words_and_inverse_ones() {
    let mut model = fleet();
    for (filter, want) in [
        ("a", vec!["checkout", "auth", "billing", "search"]),
        ("!checkout i", vec!["billing"]),
        ("stalled", vec!["checkout"]),
        ("CHECK shop", vec!["checkout"]),
        ("nothing", vec![]),
    ] {
        keys(&mut model, "/^u");
        keys(&mut model, filter);
        keys(&mut model, "\n");
        assert_eq!(names(&model), want, "{filter}");
        assert_eq!(model.board.hidden, 4 - want.len());
    }
    keys(&mut model, "\x1b^z");
    assert_eq!(names(&model), ["checkout"]);
    keys(&mut model, "^zSn");
    assert_eq!(names(&model), ["auth", "billing", "checkout", "search"]);
}
