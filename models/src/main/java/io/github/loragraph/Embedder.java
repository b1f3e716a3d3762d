package io.github.loragraph;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.data.Row;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.models.DocumentModel;
import io.github.loragraph.models.EmbeddingConfig;
import io.github.loragraph.models.ModelData;
import io.github.loragraph.models.RunDefaults;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.retrieval.EmbeddingMeasure;
import io.github.loragraph.retrieval.SearchSet;
import io.github.loragraph.task.Report;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A model that makes vectors of texts: a session of ONNX Runtime with a tokenizer. It holds native
 * memory until it is closed, by whoever opened it.
 *
 * <p>Any number of threads may use it at once. Texts of one call are padded to the longest of their
 * batch, so that the same text in another company may differ in its last digits. Closing waits for
 * the calls that are at work.
 *
 * <p>Long because all that is done with vectors is found here, each with what it promises.
 */
public final class Embedder implements AutoCloseable {
  /** Texts that are sorted by their length and run together. */
  private static final int CHUNK = 1024;

  private final ModelData data;
  private final EmbeddingConfig config;
  private final io.github.loragraph.evaluation.Predictor session;
  private final RunDefaults trained;
  private final Consumer<String> notes;

  /** Embeds documents; this itself where nothing else does, null where that is not there. */
  private final @Nullable Embedder documents;

  /** Why that is not there; null where it is. */
  private final @Nullable String obstacle;

  private final AtomicBoolean saidCut = new AtomicBoolean();
  private final UseUntilClosed use = new UseUntilClosed("the embedder");

  /** How many texts of one call there were, and how many of them were cut, by their sources. */
  private static final class Tally {
    private final Map<String, Count> bySource = new LinkedHashMap<>();
    private long cut;

    private record Count(long cut, long texts) {
      Count plus(Count more) {
        return new Count(cut + more.cut, texts + more.texts);
      }
    }

    void add(String source, int cutNow, int texts) {
      cut += cutNow;
      bySource.merge(source, new Count(cutNow, texts), Count::plus);
    }
  }

  private Embedder(
      ModelData data,
      EmbeddingConfig config,
      io.github.loragraph.evaluation.Predictor session,
      RunDefaults trained,
      Consumer<String> notes,
      @Nullable String obstacle,
      @Nullable Embedder documents) {
    this.obstacle = obstacle;
    this.documents = documents == null && obstacle == null ? this : documents;
    this.data = data;
    this.config = config;
    this.session = session;
    this.trained = trained;
    this.notes = notes;
  }

  static Embedder open(Model model, InferenceArguments arguments) {
    return open(model, arguments, false);
  }

  /**
   * @param itself whether it embeds documents, whatever it was trained for
   */
  private static Embedder open(Model model, InferenceArguments arguments, boolean itself) {
    RunDefaults run = model.defaults();
    arguments.refuseUnfitting(Task.EMBEDDING);
    arguments.chooseRuntime();
    EmbeddingConfig config =
        EmbeddingConfig.of(
            model.files(), arguments.embedding().asked(), run.embedding(), model.notes());
    ModelData data =
        LoraGraphException.in(
            model.shown(),
            () ->
                ModelData.ofEmbedding(
                    model.files(),
                    model.graph(),
                    config,
                    arguments.maxLength().orElse(run.maxLength()),
                    model.notes(),
                    new SessionShapeInference(OrtRuntime.ofThisProcess())));
    @Nullable Embedder documents = null;
    @Nullable DocumentModel documentModel =
        itself
            ? null
            : arguments
                .embedding()
                .documentModel()
                .map(file -> new DocumentModel(file, null))
                .orElse(run.documentModel());
    @Nullable String obstacle = null;
    try {
      data.notes().forEach(model.notes());
      if (documentModel != null) {
        obstacle = documentModel.obstacle().map((documentModel.file() + " ")::concat).orElse(null);
        model
            .notes()
            .accept(
                obstacle == null
                    ? "%s was trained on the query side: it embeds queries, and its documents are embedded by %s"
                        .formatted(model.shown(), documentModel.file())
                    : "%s was trained on the query side, and what embeds its documents, %s: queries alone can be embedded"
                        .formatted(model.shown(), obstacle));
        documents =
            obstacle == null
                ? ofDocuments(documentModel.file(), model, config, data, arguments)
                : null;
      }
      return new Embedder(
          data,
          config,
          new io.github.loragraph.evaluation.Predictor(
              data.answer().answering(), data.padId(), arguments.sessions(model.notes())),
          run,
          model.notes(),
          obstacle,
          documents);
    } catch (RuntimeException | Error e) {
      if (documents != null) {
        documents.close();
      }
      data.close();
      throw e;
    }
  }

  /** What embeds the documents of an encoder that was trained for queries. */
  private static Embedder ofDocuments(
      Path file,
      Model queries,
      EmbeddingConfig config,
      ModelData data,
      InferenceArguments arguments) {
    EmbeddingArguments same = EmbeddingArguments.of(config);
    Embedder documents =
        open(
            Model.open(file).withNotes(queries.notes()),
            arguments.embedding(same, data.maxLength()),
            true);
    if (documents.dimension() != data.outputs()) {
      documents.close();
      throw new LoraGraphException(
          "%s embeds texts as %,d numbers, and %s as %,d: it is another model's"
              .formatted(file, documents.dimension(), queries.shown(), data.outputs()));
    }
    return documents;
  }

  private Embedder documents() {
    if (documents == null) {
      throw new LoraGraphException(
          "the encoder of queries alone was trained, and what embeds its documents, %s"
              .formatted(obstacle),
          Remedy.NAME_DOCUMENT_MODEL);
    }
    return documents;
  }

  /** How many numbers an embedding has. */
  public int dimension() {
    return data.outputs();
  }

  /** Tokens of a text, special ones included; longer texts are cut. */
  public int maxLength() {
    return data.maxLength();
  }

  /** Whether it was trained for queries alone, so that another model embeds documents. */
  public boolean embedsQueriesAlone() {
    return documents != this;
  }

  /** What {@link #embedQueries} puts before each text; empty for nothing. */
  public String queryPrefix() {
    return config.queryPrefix();
  }

  /** What {@link #embedDocuments} puts before each text; empty for nothing. */
  public String documentPrefix() {
    return config.documentPrefix();
  }

  /**
   * The embedding of a text, as it stands.
   *
   * @return {@link #dimension} numbers
   * @throws LoraGraphException if the text cannot be taken, or the model answers with something
   *     that is no number
   * @throws IllegalStateException if this is closed
   */
  public float[] embed(String text) {
    return embedAll(List.of(text)).get(0);
  }

  /**
   * The embeddings of texts, as they stand.
   *
   * @return as many, in the same order
   * @throws LoraGraphException as {@link #embed(String)}, naming the text by its number
   * @throws IllegalStateException if this is closed
   */
  public List<float[]> embedAll(List<String> texts) {
    return embedded(texts, "");
  }

  /**
   * The same of queries, with their prefix.
   *
   * @throws LoraGraphException as {@link #embedAll}
   * @throws IllegalStateException if this is closed
   */
  public List<float[]> embedQueries(List<String> queries) {
    return embedded(queries, queryPrefix());
  }

  /**
   * The same of documents, with their prefix.
   *
   * @throws LoraGraphException as {@link #embedAll}
   * @throws IllegalStateException if this is closed
   */
  public List<float[]> embedDocuments(List<String> documents) {
    return documents().embedded(documents, documentPrefix());
  }

  private List<float[]> embedded(List<String> texts, String prefix) {
    List<Row> rows = new ArrayList<>(texts.size());
    for (String text : texts) {
      rows.add(Example.of(text).row("texts:" + (rows.size() + 1)));
    }
    Tally tally = new Tally();
    float[][] vectors = vectors(rows, prefix, tally);
    // Once: a service embeds texts one by one.
    if (tally.cut > 0 && saidCut.compareAndSet(false, true)) {
      tell(tally);
    }
    return Arrays.asList(vectors);
  }

  /**
   * Embeds the examples of some data one after the other, so that a file of any size can be read.
   * Of a pair the first text alone is taken; texts may be empty. How many were cut is said at the
   * end.
   *
   * @param prefix is put before each text; empty for nothing
   * @param taker gets each example with its embedding
   * @throws LoraGraphException if the data cannot be read, or as {@link #embed(String)}
   * @throws IllegalStateException if this is closed
   */
  public void embed(Dataset texts, String prefix, BiConsumer<Example, float[]> taker) {
    embed(texts, prefix, false, taker);
  }

  /**
   * @param titled whether a title is put before a text, as in a search
   */
  private void embed(
      Dataset texts, String prefix, boolean titled, BiConsumer<Example, float[]> taker) {
    boolean[] saidTitle = new boolean[1];
    List<Row> rows = new ArrayList<>();
    List<Map<String, JsonNode>> fields = new ArrayList<>();
    Tally tally = new Tally();
    Runnable chunk =
        () -> {
          float[][] vectors = vectors(rows, prefix, tally);
          for (int i = 0; i < vectors.length; i++) {
            taker.accept(Example.of(rows.get(i), Dataset.values(fields.get(i))), vectors[i]);
          }
          rows.clear();
          fields.clear();
        };
    texts.each(
        trained,
        notes,
        (row, itsFields) -> {
          String title = title(itsFields);
          if (!title.isEmpty() && !titled && !saidTitle[0]) {
            saidTitle[0] = true;
            notes.accept(
                "%s: titles are left out; where documents are embedded as documents, and in a search, they stand before the text"
                    .formatted(row.source()));
          }
          rows.add(titled ? row.firstText().beginningWith(before(title, row)) : row);
          fields.add(itsFields);
          if (rows.size() == CHUNK) {
            chunk.run();
          }
        });
    chunk.run();
    tell(tally);
  }

  /** The title beside a text; empty where there is none. */
  private static String title(Map<String, JsonNode> fields) {
    JsonNode title = fields.get("title");
    return title == null || !title.isTextual() ? "" : title.asText().strip();
  }

  private static String before(String title, Row row) {
    return title.isEmpty() || "".equals(row.text()) ? title : title + " ";
  }

  /**
   * Embeds examples that come some at a time, lines of a stream for example: each some are embedded
   * before the next are asked for. How many texts were cut is said at the end.
   *
   * @param some of one kind, as {@link #embed(Dataset, String, BiConsumer)} takes them
   * @param prefix is put before each text; empty for nothing
   * @param taker gets each example with its embedding
   * @throws LoraGraphException as the other
   * @throws IllegalStateException if this is closed
   */
  public void embed(
      Iterator<List<Example>> some, String prefix, BiConsumer<Example, float[]> taker) {
    Tally tally = new Tally();
    long count = 0;
    while (some.hasNext()) {
      List<Example> examples = some.next();
      List<Row> rows = new ArrayList<>();
      for (Example example : examples) {
        count++;
        rows.add(example.row("texts:" + count));
      }
      float[][] vectors = vectors(rows, prefix, tally);
      for (int i = 0; i < vectors.length; i++) {
        taker.accept(examples.get(i), vectors[i]);
      }
    }
    tell(tally);
  }

  /**
   * The same of documents, as {@link #embedDocuments(Dataset, BiConsumer)}.
   *
   * @throws LoraGraphException as that
   * @throws IllegalStateException if this is closed
   */
  public void embedDocuments(Iterator<List<Example>> some, BiConsumer<Example, float[]> taker) {
    documents().embed(some, documentPrefix(), taker);
  }

  /**
   * The same of documents, with their prefix, by the model that embeds them: of an encoder that was
   * trained on the query side the one before its training. Where the data has titles ({@code
   * title}), each stands before its text with a space between them, as in a search.
   *
   * @param taker gets each example with its embedding
   * @throws LoraGraphException as the other, or if that model is not there
   * @throws IllegalStateException if this is closed
   */
  public void embedDocuments(Dataset texts, BiConsumer<Example, float[]> taker) {
    documents().embed(texts, documentPrefix(), true, taker);
  }

  private void tell(Tally tally) {
    tally.bySource.forEach((source, count) -> data.tellCut(source, count.cut(), count.texts()));
  }

  /** Vectors of rows, each with a prefix, in their order. */
  private float[][] vectors(List<Row> rows, String prefix, Tally tally) {
    float[][] all = new float[rows.size()][];
    for (int first = 0; first < all.length; first += CHUNK) {
      int end = Math.min(all.length, first + CHUNK);
      List<Row> chunk = new ArrayList<>();
      for (Row row : rows.subList(first, end)) {
        chunk.add(row.firstText().beginningWith(prefix));
      }
      float[][] some = use.whileOpen(() -> run(chunk, tally));
      System.arraycopy(some, 0, all, first, some.length);
    }
    return all;
  }

  private float[][] run(List<Row> rows, Tally tally) {
    ModelData.Encoded encoded = data.unlabelled(rows);
    if (!rows.isEmpty()) {
      tally.add(rows.get(0).source(), encoded.truncated(), rows.size());
    }
    float[][] vectors = session.logits(encoded.examples());
    for (int i = 0; i < vectors.length; i++) {
      io.github.loragraph.task.Prediction.requireNumbers(vectors[i], rows.get(i).place());
    }
    return vectors;
  }

  /**
   * Measures the model: by a search in a corpus ({@link Dataset#search}), whose documents are read
   * and embedded block by block, so that a corpus of any size can be searched; or on groups of
   * texts, pairs with a score by the correlations of score and cosine, others by a search for each
   * positive among all texts of the data, and by the share of triplets that are right where there
   * are negatives.
   *
   * @throws LoraGraphException if the data cannot be read, or does not fit the model
   * @throws IllegalStateException if this is closed
   */
  public Evaluation evaluate(Dataset measured) {
    return evaluate(measured, done -> {});
  }

  /**
   * The same, with who hears how far a search is.
   *
   * @param progress gets the number of documents that were searched so far
   * @throws LoraGraphException as the other
   * @throws IllegalStateException if this is closed
   */
  public Evaluation evaluate(Dataset measured, LongConsumer progress) {
    return evaluate(measured, progress, 0, (query, hits) -> {});
  }

  /**
   * The same, and hands over what each query of a search found, for a reranker to put into another
   * order.
   *
   * @param most documents of a query; 0 for none
   * @param found gets the id of each query with its documents, the best first; nothing where no
   *     corpus is searched
   * @throws LoraGraphException as the other
   * @throws IllegalStateException if this is closed
   */
  public Evaluation evaluate(
      Dataset measured,
      LongConsumer progress,
      int most,
      BiConsumer<String, List<SearchHit>> found) {
    Tally tally = new Tally();
    Embedder documents = documents();
    Optional<SearchSet> search = measured.searchSet(notes);
    Report report;
    if (search.isPresent()) {
      report =
          search
              .get()
              .report(
                  rows -> vectors(rows, queryPrefix(), tally),
                  rows -> documents.vectors(rows, documentPrefix(), tally),
                  (done, all) -> progress.accept(done),
                  most,
                  (query, hits) ->
                      found.accept(
                          query,
                          hits.stream().map(h -> new SearchHit(h.document(), h.score())).toList()));
    } else {
      EmbeddingMeasure measure = measured.measure(trained, notes);
      report =
          measure.report(
              vectors(measure.queries(), queryPrefix(), tally),
              documents.vectors(measure.documents(), documentPrefix(), tally));
    }
    tell(tally);
    return Evaluation.of(
        Task.EMBEDDING, report, List.of(), List.of(), (int) tally.cut, maxLength());
  }

  /**
   * Looks for texts that are near to an anchor and are not among its positives: hard negatives to
   * train with, as {@code mine_hard_negatives} of sentence-transformers. Searched are all positives
   * of the data, and the documents of a corpus where one is named.
   *
   * @param pairs anchors with their positives
   * @throws LoraGraphException if the data cannot be read
   * @throws IllegalStateException if this is closed
   */
  public MinedNegatives mineNegatives(Dataset pairs, MiningConfig mining) {
    return mineNegatives(pairs, mining, done -> {});
  }

  /**
   * The same, with who hears how far it is.
   *
   * @param progress gets the number of texts that were searched so far
   * @throws LoraGraphException as the other
   * @throws IllegalStateException if this is closed
   */
  public MinedNegatives mineNegatives(Dataset pairs, MiningConfig mining, LongConsumer progress) {
    Tally tally = new Tally();
    MinedNegatives mined =
        mining.mine(
            pairs.groups(trained, notes),
            rows -> vectors(rows, queryPrefix(), tally),
            rows -> documents().vectors(rows, documentPrefix(), tally),
            notes,
            progress);
    tell(tally);
    return mined;
  }

  /** Gives the native memory back; a second time does nothing. */
  @Override
  public void close() {
    use.close(
        () -> {
          try {
            session.close();
          } finally {
            data.close();
            if (documents != null && documents != this) {
              documents.close();
            }
          }
        });
  }
}
