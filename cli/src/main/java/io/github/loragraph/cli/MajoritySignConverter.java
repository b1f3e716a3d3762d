package io.github.loragraph.cli;

import io.github.loragraph.CombinationConfig;

/** Reads how signs are elected by PEFT's name for it. */
final class MajoritySignConverter extends NameConverter<CombinationConfig.MajoritySign> {
  MajoritySignConverter() {
    super(CombinationConfig.MajoritySign.values());
  }
}
