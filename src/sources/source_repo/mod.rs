//! Source repositories: what lies between two commits, by git, by svn, or by the host's own interface.

mod copy;
mod error;
mod git;
mod log_xml;
mod process;
mod svn;

pub use error::Error;
pub use git::Git;
pub use svn::Svn;
