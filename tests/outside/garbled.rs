//! Answers of AWS that its SDK cannot read.
