//! `[[group]]`: gateways that share lines.

use super::reader::{Reader, Section};
use crate::nearest::nearest;
use crate::params::did_you_mean;
use serde::{Deserialize, Serialize};

/// A group of gateways.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its name; no gateway has it too.
    pub name: String,
    /// Most concurrent calls from and to all its gateways together; 0 is no limit.
    pub capacity: u32,
    /// How its gateways are ordered.
    pub order: Order,
}

/// How gateways with equally long prefixes and equal priority are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// The one with the fewest calls first, so that all are loaded alike.
    #[default]
    Load,
    /// As they stand in the file: the next is used when the one before is full.
    Priority,
}

const KEYS: &[&str] = &["name", "capacity", "order"];

pub(super) fn read(reader: &mut Reader<'_>, root: &Section<'_>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for table in reader.tables(root, "group", "[[group]]") {
        reader.known_keys(&table, KEYS);
        let capacity = reader.whole(&table, "capacity", 0..=1_000_000).map_or(0, |capacity| capacity.value);
        let order = order(reader, &table);
        let Some(name) = reader.required(&table, "name") else { continue };
        if name.value.is_empty() {
            reader.error(&name.span, "value", "`name` must not be empty");
        } else if groups.iter().any(|group| group.name == name.value) {
            reader.error(&name.span, "duplicate", format!("there is a group `{}` already", name.value));
        }
        groups.push(Group { name: name.value.to_owned(), capacity, order });
    }
    groups
}

fn order(reader: &mut Reader<'_>, table: &Section<'_>) -> Order {
    let Some(order) = reader.text(table, "order") else { return Order::default() };
    match order.value {
        "load" => Order::Load,
        "priority" => Order::Priority,
        other => {
            let hint = did_you_mean(nearest(other, ["load", "priority"]));
            reader.error(&order.span, "value", format!("`order` must be `load` or `priority`{hint}"));
            Order::default()
        }
    }
}
