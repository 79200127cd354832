//! Protection of the handshake under load (whitepaper section 5.4.7, `device/cookie.go`, `ratelimiter/ratelimiter.go`).
//!
//! `checker` is the responder's part: MACs checked, cookies given. `jar` is the initiator's: MACs made, cookies kept. `load` says
//! when there is load, `sources` bounds what one address may ask for, `seen` remembers initiations, so that one who replays a
//! recorded initiation does not even learn that there is load.

mod checker;
mod jar;
mod load;
mod seen;
mod sources;
#[cfg(test)]
mod tests;

pub(crate) use checker::CookieChecker;
#[cfg(feature = "inspection")]
pub(crate) use checker::cookie;
pub(crate) use jar::CookieJar;
pub(crate) use load::LoadGauge;
pub(crate) use seen::SeenInitiations;
pub(crate) use sources::SourceBuckets;
