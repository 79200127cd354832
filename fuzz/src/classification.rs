//! What a datagram may be: held to the rules of `awg-obfuscation` written down a second time.

use arbitrary::Arbitrary;
use awg_obfuscation::{Classified, MessageType, Obfuscation, Parameters};

use crate::input::{self, choose};
use crate::memory;
use crate::settings::Settings;

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    settings: Settings,
    /// Give the datagram the form of this message, with this word of its range.
    form: Option<(u8, u32)>,
    datagram: &'a [u8],
}

/// Classifies a datagram under settings, both from `data`.
///
/// # Panics
/// Where the answer is not what the rules say.
pub fn classification(data: &[u8]) {
    let Some(input) = input::read::<Input>(data) else {
        return;
    };
    let pairs = input.settings.pairs();
    let settings = pairs.iter().map(|(name, value)| (&**name, &**value));
    let Ok(parameters) = Parameters::from_settings(settings) else {
        return;
    };
    let obfuscation = Obfuscation::new(parameters.clone()).expect("they were validated");
    let mut datagram = input.datagram.to_vec();
    if let Some((number, word)) = input.form
        && let Some(&message) = choose(&MessageType::ALL, number)
    {
        shape(&parameters, message, word, &mut datagram);
    }
    let found: Vec<_> = memory::within(1 << 10, || obfuscation.classify(&datagram).collect());
    assert_eq!(found, expected(&parameters, &datagram));
}

/// Makes a datagram look like a message.
fn shape(parameters: &Parameters, message: MessageType, word: u32, datagram: &mut Vec<u8>) {
    let (padding, header) = (
        usize::from(parameters.padding(message)),
        parameters.header(message),
    );
    let size = padding + message.bare_size();
    if message != MessageType::Transport || datagram.len() < size {
        datagram.resize(size, 0);
    }
    let span = u64::from(header.last() - header.first()) + 1;
    let word = header.first() + (u64::from(word) % span) as u32;
    datagram[padding..padding + 4].copy_from_slice(&word.to_le_bytes());
}

/// The rules, in the order in which they apply.
fn expected(parameters: &Parameters, datagram: &[u8]) -> Vec<Classified> {
    let fits = |message: MessageType, offset: usize| {
        let word = datagram.get(offset..offset + 4)?;
        let word = u32::from_le_bytes(word.try_into().ok()?);
        let size = offset + message.bare_size();
        let sized = datagram.len() == size
            || message == MessageType::Transport && offset > 0 && datagram.len() > size
            || message == MessageType::Transport
                && parameters.padding_transport == 0
                && datagram.len() > size;
        (sized && parameters.header(message).contains(word)).then_some((message, offset))
    };
    let forms = MessageType::ALL
        .into_iter()
        .filter_map(|message| fits(message, parameters.padding(message).into()))
        .map(|found| (found, false));
    let bare = (parameters.padding_transport > 0)
        .then(|| fits(MessageType::Transport, 0))
        .flatten()
        .map(|found| (found, true));
    forms
        .chain(bare)
        .map(|((message, offset), bare_keepalive)| Classified {
            message,
            offset,
            bare_keepalive,
        })
        .collect()
}
