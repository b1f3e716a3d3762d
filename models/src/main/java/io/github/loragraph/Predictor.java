package io.github.loragraph;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.data.Ahead;
import io.github.loragraph.data.ExampleEncoder;
import io.github.loragraph.data.Row;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.models.ModelData;
import io.github.loragraph.models.RunDefaults;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.retrieval.FirstStage;
import io.github.loragraph.retrieval.SecondStage;
import io.github.loragraph.task.Report;
import io.github.loragraph.task.Tasks;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.Supplier;

/**
 * A model that answers texts: a session of ONNX Runtime with a tokenizer. It holds native memory
 * until it is closed, by whoever opened it.
 *
 * <p>Any number of threads may use it at once; each call waits for nothing but the processor. What
 * a text is answered does not depend on what other threads ask. Texts of one call are padded to the
 * longest of their batch, so that the same text in another company may differ in its last digits.
 * Closing waits for the calls that are at work.
 *
 * <p>Long because all that a model can be asked shares one session, and one way to close it.
 */
public final class Predictor implements AutoCloseable {
  /** Rows that are sorted by their length and answered together. */
  private static final int CHUNK = 1024;

  private final ModelData data;
  private final io.github.loragraph.evaluation.Predictor session;
  private final RunDefaults trained;
  private final HeldNotes notes;
  private final Task task;
  private final AtomicBoolean saidOtherTexts = new AtomicBoolean();
  private final AtomicBoolean saidWindows = new AtomicBoolean();

  /**
   * Who answers shares it; who closes has it alone. Nothing of the program's is called meanwhile:
   * it may close this, or wait for a thread that does.
   */
  private final UseUntilClosed use;

  /**
   * @param data is closed with this, and so is the session
   * @param trained how the run reads its data
   * @param use others may share it: closed once, it is closed for all
   */
  Predictor(
      ModelData data,
      io.github.loragraph.evaluation.Predictor session,
      RunDefaults trained,
      HeldNotes notes,
      UseUntilClosed use) {
    this.use = use;
    this.data = data;
    this.session = session;
    this.trained = trained;
    this.notes = notes;
    this.task = Task.of(data.task());
  }

  static Predictor open(Model model, InferenceArguments arguments) {
    RunDefaults run = model.defaults();
    HeldNotes notes = new HeldNotes(model.notes());
    ModelData data = data(model, arguments, run, notes);
    try {
      data.openTokenizerAhead();
      return new Predictor(
          data,
          new io.github.loragraph.evaluation.Predictor(
              data.answer().answering(), data.padId(), arguments.sessions(model.notes())),
          run,
          notes,
          new UseUntilClosed("the predictor"));
    } catch (RuntimeException | Error e) {
      data.close();
      throw e;
    }
  }

  /**
   * What turns texts into a model's input, and its logits into answers.
   *
   * @return to be closed by whoever asks
   * @throws LoraGraphException if the model answers with vectors, or something does not fit it
   */
  static ModelData data(
      Model model, InferenceArguments arguments, RunDefaults run, HeldNotes notes) {
    if (arguments.task().map(Task::internal).orElse(run.task()) == Tasks.EMBEDDING) {
      throw new LoraGraphException(
          "%s is read as a model of embeddings, which answers with vectors"
              .formatted(model.shown()),
          Remedy.EMBED);
    }
    arguments.chooseRuntime();
    ModelData data =
        LoraGraphException.in(
            model.shown(),
            () ->
                new ModelData(
                    model.files(),
                    model.graph(),
                    arguments.maxLength().orElse(run.maxLength()),
                    arguments.stride().orElse(null),
                    arguments.task().map(Task::internal).orElse(run.task()),
                    notes,
                    new SessionShapeInference(OrtRuntime.ofThisProcess())));
    try {
      arguments.refuseUnfitting(Task.of(data.task()));
      data.notes().forEach(model.notes());
      return data;
    } catch (RuntimeException | Error e) {
      data.close();
      throw e;
    }
  }

  /** What it answers. */
  public Task task() {
    return task;
  }

  /**
   * The names of the classes, or of the numbers of {@link Task#MULTIOUTPUT_REGRESSION}, in the
   * order of the logits; empty for {@link Task#REGRESSION}, whose one number has no name, and for
   * {@link Task#MASKED_LM}.
   */
  public List<String> labels() {
    return data.task().fixedLabels().isPresent() || !data.task().namesClasses()
        ? List.of()
        : data.labels().names();
  }

  /**
   * From which probability on each class is answered, by their names, where thresholds were {@link
   * TrainingArguments.Builder#fitThresholds fitted}; empty where a half decides, and for other
   * tasks than {@link Task#MULTILABEL}.
   */
  public Map<String, Double> thresholds() {
    return data.thresholds();
  }

  /** Tokens of a text, special ones included; longer texts are cut. */
  public int maxLength() {
    return data.maxLength();
  }

  /**
   * Answers a text.
   *
   * @throws LoraGraphException if the text cannot be taken, or the model answers with something
   *     that is no number
   * @throws IllegalStateException if this is closed
   */
  public Prediction predict(String text) {
    return predict(List.of(Example.of(text))).get(0);
  }

  /**
   * Answers a pair of texts.
   *
   * @throws LoraGraphException as {@link #predict(String)}
   * @throws IllegalStateException if this is closed
   */
  public Prediction predict(String text, String textPair) {
    return predict(List.of(Example.pair(text, textPair))).get(0);
  }

  /**
   * Answers texts, pairs or tokens, all of one kind; their labels are not looked at.
   *
   * @return as many answers, in the same order
   * @throws LoraGraphException as {@link #predict(String)}, naming the text by its number
   * @throws IllegalStateException if this is closed
   */
  public List<Prediction> predict(List<Example> examples) {
    List<Row> rows = new ArrayList<>(examples.size());
    for (Example example : examples) {
      rows.add(example.row("text " + (rows.size() + 1)));
    }
    var words = new ExampleEncoder.WordCounts();
    List<Prediction> answers = answers(rows, words::add);
    tellWindows(rows, words);
    return answers;
  }

  private void tellWindows(List<Row> rows, ExampleEncoder.WordCounts words) {
    if (words.longer() > 0 && saidWindows.compareAndSet(false, true)) {
      data.tellWords(rows.get(0).source(), words);
    }
  }

  /**
   * Answers the examples of some data one after the other, so that a file of any size can be read;
   * labels need not be there, and texts may be empty. How many texts were cut is said at the end.
   *
   * @param taker gets each example with its answer
   * @throws LoraGraphException if the data cannot be read, or as {@link #predict(String)}
   * @throws IllegalStateException if this is closed
   */
  public void predict(Dataset examples, BiConsumer<Example, Prediction> taker) {
    var words = new ExampleEncoder.WordCounts();
    long[] counts = new long[2];
    answer(
        maker -> {
          BiConsumer<Row, Map<String, JsonNode>> adding =
              (row, fields) -> {
                if (maker.add(row, Example.of(row, Dataset.values(fields))) == CHUNK) {
                  maker.handOver();
                }
              };
          if (data.task().ranks()) {
            examples.pairs(false, trained, notes).forEach(row -> adding.accept(row, Map.of()));
          } else {
            examples.each(trained, notes, adding);
          }
        },
        (rows, counted) -> words.add(counted),
        (example, answer) -> {
          counts[0] += answer.truncated() ? 1 : 0;
          counts[1]++;
          taker.accept(example, answer);
        });
    data.tellCut(examples.name(), counts[0], counts[1]);
    data.tellWords(examples.name(), words);
  }

  /**
   * Answers examples as they come, a few at once: texts are made into tokens while others are
   * answered.
   *
   * @param arriving is asked on a thread of its own, and waits there, for the examples that have
   *     come since; none are the end. What it throws is thrown here, after all answers before it
   * @param taker gets each example with its answer
   * @throws LoraGraphException as {@link #predict(String)}, after all answers before it
   * @throws IllegalStateException if this is closed
   */
  public void predict(Supplier<List<Example>> arriving, BiConsumer<Example, Prediction> taker) {
    answer(
        maker -> {
          long number = 0;
          for (List<Example> some = arriving.get(); !some.isEmpty(); some = arriving.get()) {
            for (Example example : some) {
              number++;
              maker.add(example.row("text " + number), example);
            }
            maker.handOver();
          }
        },
        this::tellWindows,
        taker);
  }

  /**
   * Answers what is read and encoded on a thread of its own meanwhile.
   *
   * @param reading adds the rows there
   * @param counted gets rows, and what came of texts that were read by words
   */
  private void answer(
      Consumer<EncodedRows.Maker> reading,
      BiConsumer<List<Row>, ExampleEncoder.WordCounts> counted,
      BiConsumer<Example, Prediction> taker) {
    requireOpen();
    try (Ahead<EncodedRows> ahead =
        new Ahead<>(
            rows ->
                new EncodedRows.Maker(some -> use.whileOpen(() -> data.unlabelled(some)), rows)
                    .make(notes, reading),
            1,
            "lora-graph tokens")) {
      for (Optional<EncodedRows> next = ahead.next(); next.isPresent(); next = ahead.next()) {
        EncodedRows some = next.get();
        some.notes().forEach(notes);
        requireOpen();
        sayOtherTexts(some.rows());
        List<Prediction> answers = whileOpen(() -> answered(some.rows(), some.encoded()));
        counted.accept(some.rows(), some.encoded().words());
        for (int i = 0; i < answers.size(); i++) {
          taker.accept(some.examples().get(i), answers.get(i));
        }
      }
    }
  }

  /**
   * Orders documents by how relevant they are to a query, the most relevant first; those of equal
   * scores stay in their order. Of a pair that is too long the document is cut.
   *
   * @throws LoraGraphException if the model is no reranker, there are no documents, or as {@link
   *     #predict(String)}
   * @throws IllegalStateException if this is closed
   */
  public List<RankedDocument> rank(String query, List<String> documents) {
    requireRanks();
    if (documents.isEmpty()) {
      throw new LoraGraphException("there are no documents to rank: give one or more");
    }
    return ranked(
        documents, predict(documents.stream().map(text -> Example.pair(query, text)).toList()));
  }

  /**
   * The same for the queries of some data, one after the other in the order of their first
   * documents; labels are not looked at. How many texts were cut is said at the end.
   *
   * @throws LoraGraphException if the data cannot be read or has rows of numbers, which have no
   *     text, or as {@link #rank(String, List)}
   * @throws IllegalStateException if this is closed
   */
  public void rank(Dataset queries, Consumer<Ranking> taker) {
    requireRanks();
    requireOpen();
    Map<String, List<String>> documents = new LinkedHashMap<>();
    for (Row row : queries.pairs(false, trained, notes)) {
      if (row.text() == null) {
        throw new LoraGraphException(
            row.place() + " has numbers where a ranking needs query and document as text");
      }
      documents
          .computeIfAbsent(row.text(), query -> new ArrayList<>())
          .add(Objects.requireNonNull(row.textPair()));
    }
    long cut = 0;
    long count = 0;
    for (Map.Entry<String, List<String>> query : documents.entrySet()) {
      Ranking ranking = new Ranking(query.getKey(), rank(query.getKey(), query.getValue()));
      cut += ranking.documents().stream().filter(RankedDocument::truncated).count();
      count += ranking.documents().size();
      taker.accept(ranking);
    }
    data.tellCut(queries.name(), cut, count);
  }

  /**
   * Measures how well a search finds before and after the first documents of each query were put
   * into another order by this model; both by the figures of {@code trec_eval} over all judgements.
   *
   * @param search what is searched, as {@link Dataset#search} has it
   * @param candidates what the search found: a TREC run, or query-id, corpus-id and score
   * @param top how many documents of a query are put into another order
   * @param progress gets the number of documents that were scored so far
   * @throws LoraGraphException if the model is no reranker, a file cannot be read, ids come twice
   *     or are not in the corpus, or nothing is relevant
   * @throws IllegalStateException if this is closed
   */
  public Evaluation evaluate(Dataset search, Path candidates, int top, LongConsumer progress) {
    requireRanks();
    requireOpen();
    SecondStage stage =
        new SecondStage(
            search
                .searchSet(notes)
                .orElseThrow(
                    () ->
                        new LoraGraphException(
                            search.name()
                                + " is no search: give a corpus, queries and judgements")),
            FirstStage.read(candidates, notes),
            top,
            notes);
    long[] cut = new long[2];
    Report report =
        stage.report(
            pairs -> {
              List<Prediction> answers = answers(pairs, counts -> {});
              cut[0] += answers.stream().filter(Prediction::truncated).count();
              cut[1] += answers.size();
              return answers.stream().mapToDouble(Prediction::value).toArray();
            },
            progress);
    data.tellCut(search.name(), cut[0], cut[1]);
    return Evaluation.of(
        task, report, data.labels().names(), List.of(), (int) cut[0], data.maxLength());
  }

  private void requireRanks() {
    if (!data.task().ranks()) {
      throw new LoraGraphException(
          "the model is read as one for %s, and only one for %s ranks documents"
              .formatted(task, Task.RERANK),
          Remedy.NAME_TASK);
    }
  }

  private static List<RankedDocument> ranked(List<String> documents, List<Prediction> answers) {
    List<RankedDocument> ranking = new ArrayList<>();
    for (int i = 0; i < answers.size(); i++) {
      Prediction answer = answers.get(i);
      ranking.add(new RankedDocument(i, documents.get(i), answer.value(), answer.truncated()));
    }
    ranking.sort(Comparator.comparingDouble(RankedDocument::score).reversed());
    return List.copyOf(ranking);
  }

  private void requireOpen() {
    whileOpen(() -> true);
  }

  private <T> T whileOpen(Supplier<T> work) {
    return notes.during(() -> use.whileOpen(work));
  }

  private void sayOtherTexts(List<Row> rows) {
    if (!saidOtherTexts.get() && trained.sayOtherTexts(rows, line -> {})) {
      if (saidOtherTexts.compareAndSet(false, true)) {
        trained.sayOtherTexts(rows, notes);
      }
    }
  }

  /**
   * @param counted gets what came of texts that were read by words
   */
  private List<Prediction> answers(List<Row> rows, Consumer<ExampleEncoder.WordCounts> counted) {
    requireOpen();
    sayOtherTexts(rows);
    return whileOpen(
        () -> {
          ModelData.Encoded encoded = data.unlabelled(rows);
          counted.accept(encoded.words());
          return answered(rows, encoded);
        });
  }

  private List<Prediction> answered(List<Row> rows, ModelData.Encoded encoded) {
    if (rows.isEmpty()) {
      return List.of();
    }
    var examples = encoded.examples();
    boolean[] cut = cut(rows, encoded);
    int[] begins = encoded.begins();
    var found = new io.github.loragraph.task.Prediction[examples.size()];
    float[][] ofWords = new float[examples.size()][];
    session.each(
        examples,
        perToken(),
        (i, logits) -> {
          if (examples.get(i).words() == null) {
            found[i] = data.prediction(logits, examples.get(i), rows.get(i).place());
          } else {
            ofWords[i] = logits;
          }
        });
    List<Prediction> answers = new ArrayList<>(rows.size());
    for (int i = 0; i < rows.size(); i++) {
      int first = begins[i];
      boolean byWords = examples.get(first).words() != null;
      var answer =
          byWords
              ? data.prediction(
                  Arrays.asList(ofWords).subList(first, begins[i + 1]),
                  examples.subList(first, begins[i + 1]),
                  rows.get(i).place())
              : found[first];
      List<String> tokens =
          byWords
              ? answer.words()
              : answer.tokens().isEmpty() ? List.of() : data.tokens(examples.get(first));
      answers.add(new Prediction(task, answer, tokens, cut[i]));
    }
    return answers;
  }

  private int perToken() {
    return data.task().answersTokens() ? data.outputs() : 0;
  }

  /** Which texts were cut; of several only their number is known, and that they are full. */
  private boolean[] cut(List<Row> rows, ModelData.Encoded encoded) {
    boolean[] cut = new boolean[rows.size()];
    int full = 0;
    for (int i = 0; encoded.truncated() > 0 && i < cut.length; i++) {
      cut[i] = encoded.examples().get(i).length() >= data.maxLength();
      full += cut[i] ? 1 : 0;
    }
    for (int i = 0; full > encoded.truncated() && i < cut.length; i++) {
      cut[i] = cut[i] && data.unlabelled(List.of(rows.get(i))).truncated() > 0;
    }
    return cut;
  }

  /**
   * Measures the model on labelled examples.
   *
   * @throws LoraGraphException if the data does not fit the model, or the model answers with
   *     something that is no number
   * @throws IllegalStateException if this is closed
   */
  public Evaluation evaluate(Dataset labelled) {
    return evaluate(labelled, false);
  }

  /**
   * The same, with the mistakes where they are asked for.
   *
   * @param listMistakes whether the mistakes are listed
   * @throws LoraGraphException as {@link #evaluate(Dataset)}
   * @throws IllegalStateException if this is closed
   */
  public Evaluation evaluate(Dataset labelled, boolean listMistakes) {
    requireOpen();
    if (listMistakes && !data.task().listsMistakes()) {
      notes.accept("of %s no mistakes are listed".formatted(data.task()));
    }
    List<Row> rows = labelled.of(data.task(), trained, notes);
    trained.sayOtherTexts(rows, notes);
    ModelData.Encoded encoded = whileOpen(() -> data.measured(labelled.name(), rows));
    boolean lists = listMistakes && data.task().listsMistakes();
    return whileOpen(() -> evaluated(labelled.name(), rows, encoded, lists));
  }

  private Evaluation evaluated(
      String name, List<Row> rows, ModelData.Encoded encoded, boolean listMistakes) {
    var examples = encoded.examples();
    // A row that was divided is several examples.
    boolean oneEach = rows.size() == examples.size();
    var measure = data.judge().measure(examples, data.outputs(), data.labels().names());
    float[][] all = listMistakes ? new float[examples.size()][] : new float[0][];
    session.each(
        examples,
        perToken(),
        (i, logits) -> {
          io.github.loragraph.task.Prediction.requireNumbers(
              logits, oneEach ? rows.get(i).place() : name);
          measure.add(i, logits);
          if (listMistakes) {
            all[i] = logits;
          }
        });
    List<Mistake> mistakes =
        listMistakes ? new MistakeList(data).of(rows, encoded, all) : List.of();
    return Evaluation.of(
        task,
        measure.report(),
        data.labels().names(),
        mistakes,
        encoded.truncated(),
        data.maxLength());
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
          }
        });
  }
}
