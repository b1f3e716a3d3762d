package io.github.loragraph.cli;

import io.github.loragraph.AdapterNaming;

/** Reads whose names an adapter's inputs have, by the word on the command line. */
final class AdapterNamingConverter extends NameConverter<AdapterNaming> {
  AdapterNamingConverter() {
    super(AdapterNaming.values());
  }
}
