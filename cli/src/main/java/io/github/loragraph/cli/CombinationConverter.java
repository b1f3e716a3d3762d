package io.github.loragraph.cli;

import io.github.loragraph.CombinationConfig;

/** Reads how adapters become one by PEFT's name for it. */
final class CombinationConverter extends NameConverter<CombinationConfig.Type> {
  CombinationConverter() {
    super(CombinationConfig.Type.values());
  }
}
