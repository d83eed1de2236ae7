//! Pages are what is on the screen, whatever lines stand above the keys.

use super::*;
use crate::app::event::Document;
use crate::app::layout;
use crate::app::model::Notice;

#[test]
fn a_line_above_the_keys_takes_its_row_from_the_page() {
    let mut model = start();
    let many: Vec<_> = (0..100).map(|i| steady(&format!("s{i:03}"))).collect();
    put(&mut model, &many);
    model.height = 24;
    assert_eq!(layout::board_rows(&model), 21);
    keys(&mut model, "^f");
    assert_eq!(cursor(&model), "s020");
    model.notice = Some(Notice {
        text: "read-only".into(),
        bad: false,
        until: Timestamp::MAX,
    });
    assert_eq!(layout::board_rows(&model), 20);
    keys(&mut model, "^f");
    assert_eq!(cursor(&model), "s039");
    assert_eq!(model.board.offset, 20, "the cursor is on the last row");
    model.clusters[0].skew = 60;
    model.clusters[0].scope.note = Some("shop alone".into());
    assert_eq!(layout::note_rows(&model), 3);
    model.height = 8;
    assert_eq!(layout::note_rows(&model), 2, "a quarter at most");
}

/// Lines longer than the screen is wide are broken, and the last of them can still be reached.
#[test]
fn the_end_of_a_text_with_long_lines_is_reached() {
    let mut model = service::opened();
    let effects = keys(&mut model, "y");
    let Some(Effect::FetchYaml { job, .. }) = effects.first() else {
        panic!("{effects:?}")
    };
    let lines: Vec<_> = (0..30)
        .map(|n| format!("{n} {}", "x".repeat(250)))
        .collect();
    let read_at = model.now;
    let outcome = Ok(Document {
        lines: lines.clone(),
        read_at,
    });
    update(&mut model, Event::Fetched { job: *job, outcome });
    keys(&mut model, "G");
    let Some(Screen::Text(screen)) = model.screens.last() else {
        panic!("{:?}", model.screens)
    };
    // 120 columns: three rows a line, and twenty rows.
    assert_eq!(screen.offset, 24);
    let shown = layout::reader_lines(&model, lines[24..].iter().map(String::as_str), "29 X");
    assert_eq!(shown.len(), 18);
    assert!(shown[15].text.starts_with("29 x"));
    assert_eq!((shown[15].found[0].clone(), shown[17].below), (0..4, 5));
}
