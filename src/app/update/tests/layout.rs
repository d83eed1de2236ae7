//! Pages are what is on the screen, whatever lines stand above the keys.

use super::*;
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
    model.skew = 60;
    model.scope.note = Some("shop alone".into());
    assert_eq!(layout::note_rows(&model), 3);
    model.height = 8;
    assert_eq!(layout::note_rows(&model), 2, "a quarter at most");
}
