package io.github.loragraph;

import io.github.loragraph.models.EmbeddingConfig;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How an encoder makes a vector of a text, as far as it is to be other than the model's run or the
 * files beside the model say it. Immutable; the methods that begin with {@code with} give another
 * one.
 */
public final class EmbeddingArguments {
  /** How the vectors of a text's tokens become one, by the names of sentence-transformers. */
  public enum Pooling {
    /** The mean over the tokens that the attention mask counts. */
    MEAN,
    /** The first token. */
    CLS,
    /** The last token that the attention mask counts. */
    LASTTOKEN,
    /** For each number the largest of all tokens that the attention mask counts. */
    MAX
  }

  /** As the run or the files beside the model say it. */
  public static final EmbeddingArguments AS_FOUND =
      new EmbeddingArguments(null, null, null, null, null);

  private final @Nullable Pooling pooling;
  private final @Nullable Boolean normalize;
  private final @Nullable String queryPrefix;
  private final @Nullable String documentPrefix;
  private final @Nullable Path documentModel;

  private EmbeddingArguments(
      @Nullable Pooling pooling,
      @Nullable Boolean normalize,
      @Nullable String queryPrefix,
      @Nullable String documentPrefix,
      @Nullable Path documentModel) {
    this.pooling = pooling;
    this.normalize = normalize;
    this.queryPrefix = queryPrefix;
    this.documentPrefix = documentPrefix;
    this.documentModel = documentModel;
  }

  /** With how the vectors of tokens become one. */
  public EmbeddingArguments withPooling(Pooling other) {
    Objects.requireNonNull(other, "pooling");
    return new EmbeddingArguments(other, normalize, queryPrefix, documentPrefix, documentModel);
  }

  /** With whether vectors get the length 1. */
  public EmbeddingArguments withNormalize(boolean other) {
    return new EmbeddingArguments(pooling, other, queryPrefix, documentPrefix, documentModel);
  }

  /**
   * With what each query (the first text of a group) begins with: {@code "query: "} for E5, for
   * example; empty for nothing.
   */
  public EmbeddingArguments withQueryPrefix(String other) {
    Objects.requireNonNull(other, "queryPrefix");
    return new EmbeddingArguments(pooling, normalize, other, documentPrefix, documentModel);
  }

  /** With what each document (every other text of a group) begins with; empty for nothing. */
  public EmbeddingArguments withDocumentPrefix(String other) {
    Objects.requireNonNull(other, "documentPrefix");
    return new EmbeddingArguments(pooling, normalize, queryPrefix, other, documentModel);
  }

  /**
   * With the model that embeds documents, where the encoder of queries alone was trained and the
   * model that it was made from lies elsewhere now.
   */
  public EmbeddingArguments withDocumentModel(Path other) {
    Objects.requireNonNull(other, "documentModel");
    return new EmbeddingArguments(pooling, normalize, queryPrefix, documentPrefix, other);
  }

  Optional<Path> documentModel() {
    return Optional.ofNullable(documentModel);
  }

  /** All that a configuration says. */
  static EmbeddingArguments of(EmbeddingConfig config) {
    return new EmbeddingArguments(
        config.pooling() == null ? null : Pooling.valueOf(config.pooling().name()),
        config.normalize(),
        config.queryPrefix(),
        config.documentPrefix(),
        null);
  }

  EmbeddingConfig.Asked asked() {
    return new EmbeddingConfig.Asked(
        pooling == null ? null : io.github.loragraph.training.Pooling.valueOf(pooling.name()),
        normalize,
        queryPrefix,
        documentPrefix);
  }
}
