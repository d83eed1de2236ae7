//! The verbs, one file each: a request and evidence become a plan of steps.
