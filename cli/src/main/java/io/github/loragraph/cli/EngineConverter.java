package io.github.loragraph.cli;

import io.github.loragraph.TrainingArguments;
import io.github.loragraph.engine.EngineKind;

/** Reads an engine by its name on the command line. */
final class EngineConverter extends NameConverter<EngineKind> {
  EngineConverter() {
    super(EngineKind.values());
  }

  /** The name of the one that ran a training. */
  static String name(TrainingArguments.Engine engine) {
    return EngineKind.valueOf(engine.name()).toString();
  }
}
