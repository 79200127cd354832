//! The engine's handle for Python.

use std::os::fd::{AsRawFd, IntoRawFd, RawFd};

use awg_engine::{FlowId, Snapshot, Target};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::arguments::{Address, Whole, from_socket_address, ip_address, socket_address, target};
use crate::descriptor::{adopt, give_back};
use crate::errors::Failure;
use crate::events;
use crate::replies::Replies;
use crate::settings::{EngineSettings, PeerSettings};

/// See the stub file. Dropped without a `stop`, it stops: its thread needs nothing of Python, so that this ends.
#[pyclass(frozen, module = "awgproxy._native")]
#[derive(Debug)]
pub(crate) struct Engine(awg_engine::Engine);

#[pymethods]
impl Engine {
    #[new]
    fn new(settings: &EngineSettings) -> Result<Self, Failure> {
        Ok(Self(awg_engine::Engine::new(settings.settings())?))
    }

    fn start(&self, py: Python<'_>) -> Result<(), Failure> {
        Ok(py.detach(|| self.0.start())?)
    }

    fn event_fd(&self) -> RawFd {
        self.0.event_fd().as_raw_fd()
    }

    fn take_events<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for event in self.0.take_events() {
            list.append(events::to_python(py, event)?)?;
        }
        Ok(list)
    }

    fn local_port(&self) -> Result<u16, Failure> {
        let address = self.0.local_address();
        address
            .map(|address| address.port())
            .ok_or_else(|| Failure::State("the engine has not started".to_owned()))
    }

    fn local_ports(&self) -> Result<Vec<u16>, Failure> {
        // Where it has started there is at least one.
        self.local_port()?;
        let addresses = self.0.local_addresses().iter();
        Ok(addresses.map(std::net::SocketAddr::port).collect())
    }

    fn open(
        &self,
        destinations: Vec<Address>,
        fd: Whole,
        early: &[u8],
        replies: &Replies,
    ) -> Result<u64, Failure> {
        let destinations = targets(&destinations)?;
        let application = adopt(fd)?;
        let flow = self
            .0
            .open(destinations, application, early.to_vec(), replies.replies())
            .map_err(give_back)?;
        Ok(flow.0)
    }

    fn open_stream(&self, destinations: Vec<Address>) -> Result<(u64, RawFd), Failure> {
        let (flow, socket) = self.0.open_stream(targets(&destinations)?)?;
        Ok((flow.0, socket.into_raw_fd()))
    }

    fn open_datagrams(&self, destination: Address) -> Result<(u64, RawFd), Failure> {
        let (flow, socket) = self
            .0
            .open_datagrams(socket_address("destination", &destination)?)?;
        Ok((flow.0, socket.into_raw_fd()))
    }

    fn open_association(
        &self,
        control_fd: Whole,
        datagram_fd: Whole,
        client: &str,
        port: Whole,
    ) -> Result<u64, Failure> {
        let client = ip_address("client", client)?;
        let port = port.within("port", 0..=u16::MAX)?;
        if control_fd.get() == datagram_fd.get() {
            return Err(Failure::invalid(
                "datagram_fd",
                "the connection's own descriptor",
            ));
        }
        let control = adopt(control_fd)?;
        let datagrams = match adopt(datagram_fd) {
            Ok(datagrams) => datagrams,
            Err(error) => {
                let _callers = control.into_raw_fd();
                return Err(error);
            }
        };
        match self.0.open_association(control, datagrams, client, port) {
            Ok(flow) => Ok(flow.0),
            Err((error, descriptors)) => {
                let _callers = descriptors.map(IntoRawFd::into_raw_fd);
                Err(error.into())
            }
        }
    }

    fn name_found(&self, flow: u64, name: String, addresses: Vec<String>) -> Result<(), Failure> {
        let numbered = addresses.iter().enumerate();
        let addresses = numbered
            .map(|(index, text)| ip_address(format_args!("addresses[{index}]"), text))
            .collect::<Result<_, _>>()?;
        Ok(self.0.name_found(FlowId(flow), name, addresses)?)
    }

    fn attach(&self, flow: u64, fd: Whole) -> Result<(), Failure> {
        let socket = adopt(fd)?;
        self.0.attach(FlowId(flow), socket).map_err(give_back)
    }

    fn reject(&self, flow: u64, reason: &str) -> Result<(), Failure> {
        let reason = reason
            .parse()
            .map_err(|error| Failure::invalid("reason", error))?;
        Ok(self.0.reject(FlowId(flow), reason)?)
    }

    fn close_flow(&self, flow: u64) -> Result<(), Failure> {
        Ok(self.0.close_flow(FlowId(flow))?)
    }

    fn set_peers(&self, peers: Vec<PyRef<'_, PeerSettings>>) -> Result<(), Failure> {
        Ok(self
            .0
            .set_peers(peers.iter().map(|peer| peer.settings()).collect::<Vec<_>>())?)
    }

    fn handshake(&self) -> Result<(), Failure> {
        Ok(self.0.handshake()?)
    }

    fn snapshot<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let snapshot = py.detach(|| self.0.snapshot()).map_err(Failure::from)?;
        to_dictionary(py, snapshot)
    }

    fn drain(&self) {
        self.0.drain();
    }

    fn stop(&self, py: Python<'_>) {
        py.detach(|| self.0.stop());
    }
}

fn targets(destinations: &[Address]) -> Result<Vec<Target>, Failure> {
    let numbered = destinations.iter().enumerate();
    numbered
        .map(|(index, destination)| target(format_args!("destinations[{index}]"), destination))
        .collect()
}

fn to_dictionary(py: Python<'_>, snapshot: Snapshot) -> PyResult<Bound<'_, PyDict>> {
    let counters = PyDict::new(py);
    for (name, count) in snapshot.counters {
        counters.set_item(name, count)?;
    }
    let peers = PyDict::new(py);
    for peer in snapshot.peers {
        let status = PyDict::new(py);
        status.set_item("endpoint", peer.endpoint.map(from_socket_address))?;
        status.set_item("local_port", peer.local_port)?;
        status.set_item("obfuscation", peer.obfuscation)?;
        status.set_item(
            "last_handshake",
            peer.last_handshake.map(|age| age.as_secs_f64()),
        )?;
        status.set_item("received_bytes", peer.received_bytes)?;
        status.set_item("sent_bytes", peer.sent_bytes)?;
        status.set_item("flows", peer.flows)?;
        status.set_item("relayed_bytes", peer.relayed_bytes)?;
        let turned_away = PyDict::new(py);
        for (reason, count) in peer.turned_away {
            turned_away.set_item(reason, count)?;
        }
        status.set_item("turned_away", turned_away)?;
        peers.set_item(peer.public_key.to_string(), status)?;
    }
    let dictionary = PyDict::new(py);
    dictionary.set_item("counters", counters)?;
    dictionary.set_item("peers", peers)?;
    dictionary.set_item("flows", snapshot.flows)?;
    dictionary.set_item(
        "local_address",
        snapshot.local_address.map(from_socket_address),
    )?;
    Ok(dictionary)
}
