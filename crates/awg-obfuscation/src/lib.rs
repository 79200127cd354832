//! The AmneziaWG obfuscation layer.
