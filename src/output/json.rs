//! JSON, for programs.

use std::borrow::Cow;
use std::io;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::ser::{CharEscape, Formatter, PrettyFormatter};

use super::{Output, Record, Shape};
use crate::error::{Error, Result};

pub fn render(output: &Output) -> Result<String> {
    let objects: Vec<Object<'_>> =
        output.records.iter().map(|record| Object { fields: &output.fields, record }).collect();
    match (output.shape, objects.as_slice()) {
        (Shape::One, [only]) => text(only),
        _ => text(&objects),
    }
}

/// JSON with a line end.
pub fn text(value: &impl Serialize) -> Result<String> {
    let mut text = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, Harmless(PrettyFormatter::new()));
    value.serialize(&mut serializer).map_err(Error::from_source)?;
    text.push(b'\n');
    String::from_utf8(text).map_err(Error::from_source)
}

struct Object<'a> {
    fields: &'a [Cow<'static, str>],
    record: &'a Record,
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        for (name, value) in self.fields.iter().zip(&self.record.values) {
            object.serialize_entry(name, value)?;
        }
        for (name, value) in &self.record.extra {
            if self.fields.iter().any(|field| field == name.trim_start_matches("service.")) {
                // A member of the service that has the name of one of our fields, but not its meaning; or one that is
                // called as such a member is here.
                object.serialize_entry(&format!("service.{name}"), value)?;
            } else {
                object.serialize_entry(name, value)?;
            }
        }
        object.end()
    }
}

/// Pretty-printed JSON that also escapes what JSON itself lets through: DEL and the C1 controls, which steer
/// some terminals, and bidirectional overrides. A parser reads the same text.
struct Harmless(PrettyFormatter<'static>);

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(position) = rest.find(crate::text::is_terminal_control) {
            let (harmless, from_there) = rest.split_at(position);
            writer.write_all(harmless.as_bytes())?;
            let mut characters = from_there.chars();
            if let Some(character) = characters.next() {
                write!(writer, "\\u{:04x}", u32::from(character))?;
            }
            rest = characters.as_str();
        }
        writer.write_all(rest.as_bytes())
    }

    fn write_char_escape<W: ?Sized + io::Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        self.0.write_char_escape(writer, escape)
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}
