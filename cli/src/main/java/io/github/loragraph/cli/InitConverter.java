package io.github.loragraph.cli;

import io.github.loragraph.LoraConfig;

/** Reads what adapters are before training by its name on the command line. */
final class InitConverter extends NameConverter<LoraConfig.Init> {
  InitConverter() {
    super(LoraConfig.Init.values());
  }
}
