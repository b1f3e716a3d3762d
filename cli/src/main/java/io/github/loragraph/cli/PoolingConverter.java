package io.github.loragraph.cli;

import io.github.loragraph.models.ClassificationHead;

/** Reads how tokens become one vector by its name on the command line. */
final class PoolingConverter extends NameConverter<ClassificationHead.Pooling> {
  PoolingConverter() {
    super(ClassificationHead.Pooling.values());
  }
}
