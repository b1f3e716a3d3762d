package io.github.loragraph.models;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.training.Pooling;
import io.github.loragraph.training.SentenceEmbedding;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How texts become embeddings by a model: what is asked for comes first, then what its run says,
 * then its sentence-transformers files. What the file itself has in its graph is kept in any case.
 *
 * @param pooling null where nothing says it: enough for a model that pools itself
 * @param normalize whether the embedding is brought to length 1; null for as the file has it
 * @param maxLength tokens of a text by the model's authors; null where nothing says it
 * @param queryPrefix what each query begins with; empty for nothing
 * @param documentPrefix what each document begins with; empty for nothing
 */
public record EmbeddingConfig(
    @Nullable Pooling pooling,
    @Nullable Boolean normalize,
    @Nullable Integer maxLength,
    String queryPrefix,
    String documentPrefix) {

  /**
   * What is asked for, or what a run says; null where nothing is said.
   *
   * @param queryPrefix empty for none
   * @param documentPrefix empty for none
   */
  public record Asked(
      @Nullable Pooling pooling,
      @Nullable Boolean normalize,
      @Nullable String queryPrefix,
      @Nullable String documentPrefix) {
    /** Nothing. */
    public static final Asked NOTHING = new Asked(null, null, null, null);

    /** This, and where it says nothing the other. */
    Asked or(Asked other) {
      return new Asked(
          pooling == null ? other.pooling : pooling,
          normalize == null ? other.normalize : normalize,
          queryPrefix == null ? other.queryPrefix : queryPrefix,
          documentPrefix == null ? other.documentPrefix : documentPrefix);
    }
  }

  /**
   * Finds it out.
   *
   * @param run what the run says that the model comes of
   * @param notes gets a line that says what was found where
   * @throws LoraGraphException if one of the files cannot be read, or says what cannot be done
   */
  public static EmbeddingConfig of(
      ModelFolder folder, Asked asked, Asked run, Consumer<String> notes) {
    SentenceFiles files = SentenceFiles.of(folder);
    Asked own =
        new Asked(files.pooling(), files.normalize(), files.queryPrompt(), files.documentPrompt());
    Asked said = asked.or(run);
    Asked all = said.or(own);
    EmbeddingConfig config =
        new EmbeddingConfig(
            all.pooling,
            all.normalize,
            files.maxLength(),
            all.queryPrefix == null ? "" : all.queryPrefix,
            all.documentPrefix == null ? "" : all.documentPrefix);
    if (said.pooling != null && own.pooling != null && said.pooling != own.pooling) {
      notes.accept(
          "%s: pooling is %s, where %s beside it says %s"
              .formatted(folder.shown(), said.pooling, SentenceFiles.POOLING, own.pooling));
    }
    if (said.normalize != null && own.normalize != null && !said.normalize.equals(own.normalize)) {
      notes.accept(
          "%s: embeddings are %s, where %s beside it says otherwise"
              .formatted(
                  folder.shown(),
                  said.normalize ? "normalized" : "not normalized",
                  SentenceFiles.MODULES));
    }
    files.otherSimilarity(all.normalize).ifPresent(notes);
    if (!asked.equals(all) && !config.words().isEmpty()) {
      List<String> sources = new ArrayList<>();
      if (!run.equals(Asked.NOTHING)) {
        sources.add("its run");
      }
      sources.addAll(files.files());
      notes.accept(
          "%s: %s%s"
              .formatted(
                  folder.shown(),
                  String.join(", ", config.words()),
                  sources.isEmpty() ? "" : " (as in " + String.join(", ", sources) + ")"));
    }
    return config;
  }

  /**
   * What a run notes of it, by the names of its configuration; null for what is not there.
   *
   * @param embedding what came of it
   */
  public Map<String, @Nullable Object> asMap(SentenceEmbedding embedding) {
    Map<String, @Nullable Object> map = new LinkedHashMap<>();
    map.put("pooling", embedding.pooling().map(Pooling::toString).orElse(null));
    map.put("normalize", embedding.normalized());
    map.put("queryPrefix", queryPrefix);
    map.put("documentPrefix", documentPrefix);
    return map;
  }

  /** The same for later commands on what was trained. */
  public Asked asAsked() {
    return new Asked(pooling, normalize, queryPrefix, documentPrefix);
  }

  private List<String> words() {
    List<String> words = new ArrayList<>();
    if (pooling != null) {
      words.add("pooling " + pooling);
    }
    if (normalize != null) {
      words.add(normalize ? "normalized" : "not normalized");
    }
    if (maxLength != null) {
      words.add("at most %d tokens".formatted(maxLength));
    }
    if (!queryPrefix.isEmpty()) {
      words.add("queries begin with '%s'".formatted(queryPrefix));
    }
    if (!documentPrefix.isEmpty()) {
      words.add("documents begin with '%s'".formatted(documentPrefix));
    }
    return words;
  }

  /**
   * The model of embeddings.
   *
   * @param inference asked only where the model does not declare the shapes of its outputs
   * @throws LoraGraphException as {@link SentenceEmbedding#of}: where nothing says the pooling
   *     above all
   */
  public SentenceEmbedding embedding(OnnxModel model, ShapeInference inference) {
    return SentenceEmbedding.of(model, pooling, normalize, inference);
  }

  /**
   * sentence-transformers' files that say this, by their names in a model's folder: those that say
   * something else there, or are not there. Of a model that pools itself what queries and documents
   * begin with alone.
   *
   * @param folder of the model
   * @param embedding what came of it
   * @param length tokens of a text
   * @throws LoraGraphException if files of the folder cannot be read
   */
  public Map<String, byte[]> files(ModelFolder folder, SentenceEmbedding embedding, int length) {
    return SentenceFiles.of(folder)
        .completed(
            folder.beside(SentenceFiles.PROMPTS),
            embedding.pooling().orElse(null),
            embedding.normalized(),
            embedding.dimension(),
            length,
            queryPrefix,
            documentPrefix);
  }
}
