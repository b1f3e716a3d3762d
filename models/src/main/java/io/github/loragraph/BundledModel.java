package io.github.loragraph;

/**
 * A pretrained model that comes with the library, as a jar on the class path. It is unpacked into a
 * cache in the user's home on first use.
 */
public enum BundledModel {
  /**
   * all-MiniLM-L6-v2 of sentence-transformers: an encoder of texts, BERT with 6 layers of 384 and
   * 22 million parameters, without a head.
   */
  ALL_MINILM_L6_V2(io.github.loragraph.models.BundledModel.ALL_MINILM_L6_V2);

  private final io.github.loragraph.models.BundledModel internal;

  BundledModel(io.github.loragraph.models.BundledModel internal) {
    this.internal = internal;
  }

  io.github.loragraph.models.BundledModel internal() {
    return internal;
  }
}
