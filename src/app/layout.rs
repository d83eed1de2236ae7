//! Where things are on the screen: shared by update (paging) and view.
