//! The engine's events as small immutable objects.

use std::collections::BTreeMap;

use awg_engine::{Event, Kind, Target};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;

use crate::arguments::from_socket_address;

/// Defines a class of event: its fields, and those of them that its `repr` shows (keys are not).
macro_rules! event {
    ($name:ident { $($field:ident: $type:ty $(= $default:tt)?),* $(,)? } shows $($shown:ident),*) => {
        /// See the stub file.
        #[pyclass(frozen, get_all, eq, module = "awgproxy._native")]
        #[derive(Debug, Clone, PartialEq)]
        pub(crate) struct $name {
            $($field: $type),*
        }

        #[pymethods]
        impl $name {
            #[new]
            #[pyo3(signature = ($($field $(= $default)?),*))]
            fn new($($field: $type),*) -> Self {
                Self { $($field),* }
            }

            fn __repr__(&self, #[allow(unused)] py: Python<'_>) -> PyResult<String> {
                let fields: Vec<String> = vec![$(format!("{}={}", stringify!($shown), repr(py, &self.$shown)?)),*];
                Ok(format!(concat!(stringify!($name), "({})"), fields.join(", ")))
            }
        }
    };
}

fn repr<'py>(py: Python<'py>, value: impl IntoPyObjectExt<'py>) -> PyResult<String> {
    Ok(value.into_bound_py_any(py)?.repr()?.to_string())
}

event!(FlowIncoming {
    flow: u64,
    kind: String,
    peer: String,
    source: (String, u16),
    destination: (String, u16),
    to_self: bool,
    is_name: bool = false,
} shows flow, kind, source, destination, to_self, is_name);
event!(FlowConnected { flow: u64, destination: (String, u16) } shows flow, destination);
event!(FlowRefused { flow: u64, reason: String } shows flow, reason);
event!(NameWanted { flow: u64, name: String } shows flow, name);
event!(AddressesWanted { flow: u64, destination: (String, u16) } shows flow, destination);
event!(FlowClosed {
    flow: u64,
    outcome: String,
    sent: u64,
    received: u64,
    reason: String,
} shows flow, outcome, sent, received, reason);
event!(HandshakeCompleted {
    peer: String,
    session: String,
    role: String,
    rekey: bool,
} shows session, role, rekey);
event!(InitiationAccepted { peer: String, timestamp: [u8; 12] } shows);
event!(HandshakeUnanswered { peer: String, tries: u32 } shows tries);
event!(HandshakeFailed { peer: Option<String>, cause: String, hint: String } shows cause, hint);
event!(SessionEnded { peer: String } shows);
event!(QuotaSpent { peer: String } shows);
event!(CarrierUp { peer: String } shows);
event!(CarrierDown { peer: String, reason: String } shows reason);
event!(PeerRoamed { peer: String, endpoint: (String, u16) } shows endpoint);
event!(LogRecord { level: String, message: String, fields: BTreeMap<String, String> } shows level, message, fields);
event!(EngineFailed { message: String } shows message);

/// An address or a name as Python has it.
fn from_target(target: Target) -> (String, u16) {
    match target {
        Target::Address(address) => from_socket_address(address),
        Target::Name { name, port } => (name.into(), port),
    }
}

/// The object for an event.
#[expect(clippy::too_many_lines, reason = "an arm for each event")]
pub(crate) fn to_python(py: Python<'_>, event: Event) -> PyResult<Py<PyAny>> {
    match event {
        Event::FlowIncoming {
            flow,
            kind,
            peer,
            source,
            destination,
            to_self,
        } => FlowIncoming {
            flow: flow.0,
            kind: match kind {
                Kind::Tcp => "tcp",
                Kind::Udp => "udp",
            }
            .to_owned(),
            peer: peer.to_string(),
            source: from_socket_address(source),
            is_name: destination.address().is_none(),
            destination: from_target(destination),
            to_self,
        }
        .into_py_any(py),
        Event::FlowConnected { flow, destination } => FlowConnected {
            flow: flow.0,
            destination: from_target(destination),
        }
        .into_py_any(py),
        Event::FlowRefused { flow, reason } => FlowRefused {
            flow: flow.0,
            reason: reason.name().to_owned(),
        }
        .into_py_any(py),
        Event::NameWanted { flow, name } => NameWanted { flow: flow.0, name }.into_py_any(py),
        Event::AddressesWanted { flow, destination } => AddressesWanted {
            flow: flow.0,
            destination: from_target(destination),
        }
        .into_py_any(py),
        Event::FlowClosed {
            flow,
            outcome,
            traffic,
            reason,
        } => FlowClosed {
            flow: flow.0,
            outcome: outcome.name().to_owned(),
            sent: traffic.sent,
            received: traffic.received,
            reason: reason.to_owned(),
        }
        .into_py_any(py),
        Event::HandshakeCompleted {
            peer,
            session,
            role,
            rekey,
        } => HandshakeCompleted {
            peer: peer.to_string(),
            session,
            role: role.to_owned(),
            rekey,
        }
        .into_py_any(py),
        Event::InitiationAccepted { peer, timestamp } => InitiationAccepted {
            peer: peer.to_string(),
            timestamp,
        }
        .into_py_any(py),
        Event::HandshakeUnanswered { peer, tries } => HandshakeUnanswered {
            peer: peer.to_string(),
            tries,
        }
        .into_py_any(py),
        Event::HandshakeFailed { peer, cause, hint } => HandshakeFailed {
            peer: peer.map(|key| key.to_string()),
            cause: cause.to_owned(),
            hint: hint.to_owned(),
        }
        .into_py_any(py),
        Event::SessionEnded { peer } => SessionEnded {
            peer: peer.to_string(),
        }
        .into_py_any(py),
        Event::CarrierUp { peer } => CarrierUp {
            peer: peer.to_string(),
        }
        .into_py_any(py),
        Event::CarrierDown { peer, reason } => CarrierDown {
            peer: peer.to_string(),
            reason: reason.to_owned(),
        }
        .into_py_any(py),
        Event::PeerRoamed { peer, endpoint } => PeerRoamed {
            peer: peer.to_string(),
            endpoint: from_socket_address(endpoint),
        }
        .into_py_any(py),
        Event::QuotaSpent { peer } => QuotaSpent {
            peer: peer.to_string(),
        }
        .into_py_any(py),
        Event::Log(record) => LogRecord {
            level: record.level.name().to_owned(),
            message: record.message.to_owned(),
            fields: record
                .fields
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        }
        .into_py_any(py),
        Event::EngineFailed { message } => EngineFailed { message }.into_py_any(py),
    }
}
