package io.github.loragraph.cli;

import io.github.loragraph.engine.EngineKind;

/** Reads an engine by its name on the command line. */
final class EngineConverter extends NameConverter<EngineKind> {
  EngineConverter() {
    super(EngineKind.values());
  }
}
