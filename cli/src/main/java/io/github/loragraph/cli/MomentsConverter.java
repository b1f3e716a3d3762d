package io.github.loragraph.cli;

import io.github.loragraph.training.Moments;

/** Reads in what AdamW keeps its moments by its name on the command line. */
final class MomentsConverter extends NameConverter<Moments> {
  MomentsConverter() {
    super(Moments.values());
  }
}
