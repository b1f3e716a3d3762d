package io.github.loragraph.models;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.data.EmbeddingTables;
import io.github.loragraph.data.EpochView;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.ExampleEncoder;
import io.github.loragraph.data.InputSizes;
import io.github.loragraph.data.LabelSet;
import io.github.loragraph.data.Masking;
import io.github.loragraph.data.Row;
import io.github.loragraph.data.StreamedData;
import io.github.loragraph.data.Tokenizer;
import io.github.loragraph.data.Values;
import io.github.loragraph.data.WordTokenizer;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.evaluation.Answer;
import io.github.loragraph.file.Checksum;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.task.Prediction;
import io.github.loragraph.task.Task;
import io.github.loragraph.task.Tasks;
import io.github.loragraph.training.Logits;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.ObjIntConsumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A model together with what turns rows of data into its input: tokenizer and labels. What is
 * guessed or cut on the way goes to the notices, a line each. Rows may be encoded by several
 * threads at once; its maker closes it, and the tokenizer with it.
 *
 * <p>Long because all that turns rows into a model's input is asked of one object, which owns the
 * tokenizers.
 */
public final class ModelData implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int LONGEST = 512;
  private static final int LONGEST_NAME = 60;

  private final ModelFolder folder;
  private final Answer answer;
  private final @Nullable EmbeddingConfig embedding;
  private final InputSizes sizes;
  private final Consumer<String> notices;
  private final EmbeddingTables tables;
  private final int maxLength;
  private final LabelSet labels;
  private final Task judge;
  private @Nullable Row firstRow;
  private final @Nullable Integer stride;
  private final Tokenizers tokenizers;
  private final List<StreamedData> streamed = new ArrayList<>();

  /** Whether the tokenizers are another's, which closes them. */
  private final boolean shared;

  /**
   * @param maxLength tokens of a row; null for as many as the model takes, at most 512
   * @param task what the model is to answer; null for what its configuration says
   * @param notices gets a line for whatever is guessed or cut
   * @param inference asked only where the model does not declare what it answers
   * @throws LoraGraphException if the model, its configuration and the arguments do not fit
   */
  public ModelData(
      ModelFolder folder,
      OnnxModel model,
      @Nullable Integer maxLength,
      @Nullable Task task,
      Consumer<String> notices,
      ShapeInference inference) {
    this(folder, model, maxLength, null, task, notices, inference);
  }

  /**
   * The same with windows that overlap as asked for.
   *
   * @param stride tokens that two windows of a long sentence have in common; null for a quarter of
   *     their length
   * @throws LoraGraphException if the model, its configuration and the arguments do not fit
   */
  public ModelData(
      ModelFolder folder,
      OnnxModel model,
      @Nullable Integer maxLength,
      @Nullable Integer stride,
      @Nullable Task task,
      Consumer<String> notices,
      ShapeInference inference) {
    this(
        folder,
        Answer.of(model, task, folder.config().problemType(), inference),
        null,
        maxLength,
        stride,
        notices,
        null);
    if (task == null && task() == Tasks.TOKEN_CLASSIFICATION) {
      folder.config().maskedLanguageModel(outputs()).ifPresent(this::tellVocabulary);
    }
  }

  /** Its logits look like those of so many classes, and who means masked tokens says so. */
  private void tellVocabulary(String architecture) {
    notices.accept(
        "%s is a %s by its %s: '%s' is read as token-classification with %,d classes, and as tokens of the vocabulary where masked-lm is asked for"
            .formatted(
                folder.shown(),
                PlainText.shortened(architecture, LONGEST_NAME),
                ModelConfig.FILE,
                answer.logits().output(),
                outputs()));
  }

  /**
   * An encoder that embeds texts.
   *
   * @param config how texts become vectors
   * @param inference asked only where the model does not declare what it answers
   * @param maxLength tokens of a text; null for as many as the model takes, at most 512
   * @param notices gets a line for whatever is guessed or cut
   * @throws LoraGraphException if the model and its configuration do not fit
   */
  public static ModelData ofEmbedding(
      ModelFolder folder,
      OnnxModel model,
      EmbeddingConfig config,
      @Nullable Integer maxLength,
      Consumer<String> notices,
      ShapeInference inference) {
    return new ModelData(
        folder,
        Answer.ofEmbedding(model, config.embedding(model, inference)),
        config,
        maxLength == null ? config.maxLength() : maxLength,
        null,
        notices,
        null);
  }

  /**
   * The same model and files with an adapter, whose answers may be others; the tokenizers stay
   * those of this one, which has to be closed last.
   *
   * @param config of the adapter: labels and what they mean
   * @param adapted the model as it is declared with the adapter
   * @param length tokens of a row; null for as many as this one takes
   * @param task what the adapter is to answer; null for what its configuration says
   * @throws LoraGraphException if the adapter, its configuration and the arguments do not fit
   */
  public ModelData adapted(
      ModelConfig config, OnnxModel adapted, @Nullable Integer length, @Nullable Task task) {
    // What would be computed is the model's own head, of which the adapter's takes the place.
    return new ModelData(
        folder.withConfig(config),
        Answer.of(adapted, task, config.problemType(), Logits.DECLARED),
        null,
        length == null ? maxLength : length,
        stride,
        notices,
        tokenizers);
  }

  /** How texts become vectors; null where the model answers with logits. */
  public @Nullable EmbeddingConfig embedding() {
    return embedding;
  }

  private ModelData(
      ModelFolder folder,
      Answer answer,
      @Nullable EmbeddingConfig embedding,
      @Nullable Integer maxLength,
      @Nullable Integer stride,
      Consumer<String> notices,
      @Nullable Tokenizers tokenizers) {
    OnnxModel model = answer.model();
    this.shared = tokenizers != null;
    this.tokenizers = tokenizers == null ? new Tokenizers(folder) : tokenizers;
    this.embedding = embedding;
    this.folder = folder;
    this.stride = stride;
    this.answer = answer;
    this.sizes = InputSizes.of(model.graph().requiredInputs());
    this.notices = notices;
    this.tables = EmbeddingTables.of(model.graph());
    int positions = limit(folder.config().maxLength(), tables.positions());
    int limit = sizes.tokens() > 0 ? Math.min(positions, sizes.tokens()) : positions;
    this.maxLength = maxLength == null ? Math.min(LONGEST, limit) : maxLength;
    if (this.maxLength > limit) {
      throw new LoraGraphException(
          "a maximum length of %d is more than the %d tokens that the model takes"
              .formatted(this.maxLength, limit),
          Remedy.ALLOW_FEWER_TOKENS.with(limit));
    }
    this.labels =
        task().namesClasses()
            ? folder.labels(answer.outputs())
            : LabelSet.numbered(answer.outputs());
    this.judge =
        task().hasThresholds()
            ? folder.config().thresholds(labels).map(task()::with).orElse(task())
            : task();
    requireKnownPadding();
  }

  /** Where configuration and graph differ, what both have room for. */
  private static int limit(OptionalInt stated, OptionalInt found) {
    return stated.isEmpty() && found.isEmpty()
        ? LONGEST
        : Math.min(stated.orElse(Integer.MAX_VALUE), found.orElse(Integer.MAX_VALUE));
  }

  private void requireKnownPadding() {
    int known = tables.rows().getOrDefault("input_ids", Integer.MAX_VALUE);
    OptionalInt padding = folder.config().padTokenId();
    if (padding.isPresent() && padding.getAsInt() >= known) {
      throw new LoraGraphException(
          "%s beside %s has the pad_token_id %d, and the model's vocabulary has %d: the file is another model's"
              .formatted(ModelConfig.FILE, folder.shown(), padding.getAsInt(), known));
    }
  }

  public LabelSet labels() {
    return labels;
  }

  public Task task() {
    return answer.task();
  }

  /**
   * The task, deciding as the model's configuration says: what answers and measures the model as it
   * is asks this one. A training measures by the task itself.
   */
  public Task judge() {
    return judge;
  }

  /** The thresholds that {@link #judge} decides by, by the names of classes; empty for a half. */
  public Map<String, Double> thresholds() {
    return judge == task() ? Map.of() : folder.config().thresholds();
  }

  /** What the model is taken to answer. */
  public Answer answer() {
    return answer;
  }

  /** What is worth saying of how the model is read, a line each. */
  public List<String> notes() {
    List<String> notes = new ArrayList<>(answer.notes());
    notes.addAll(sizes.notes());
    Map<String, Double> thresholds = thresholds();
    if (!thresholds.isEmpty()) {
      notes.add(
          "answers by the thresholds in %s: %s"
              .formatted(ModelConfig.FILE, ModelNotes.shown(thresholds)));
    }
    return List.copyOf(notes);
  }

  /** The size of the logits' last axis. */
  public int outputs() {
    return answer.outputs();
  }

  /** Tokens of a row, special ones included. */
  public int maxLength() {
    return maxLength;
  }

  /**
   * Holds rows that are read one after the other to one kind: all single texts, or all pairs.
   *
   * @param rows at least one
   * @throws LoraGraphException if they have pairs where others had single texts, or the other way
   *     round
   */
  public void requireAlike(List<Row> rows) {
    if (firstRow == null) {
      firstRow = rows.get(0);
    } else {
      requireAlike(firstRow, rows.get(0));
    }
  }

  /**
   * Holds a row to the kind of one of other data.
   *
   * @throws LoraGraphException if one is a pair and the other a single text
   */
  public static void requireAlike(Row first, Row other) {
    if (first.isText()
        && other.isText()
        && (first.textPair() == null) != (other.textPair() == null)) {
      throw new LoraGraphException(
          "%s has %s, and %s has %s: give both %s"
              .formatted(
                  first.place(),
                  kind(first),
                  other.place(),
                  kind(other),
                  first.given() || other.given() ? "texts of one kind" : "the same columns"));
    }
  }

  /** Whether the labelled rows are pairs of texts; empty where none was read, or not as text. */
  public Optional<Boolean> pairs() {
    return Optional.ofNullable(firstRow).filter(Row::isText).map(row -> row.textPair() != null);
  }

  private static String kind(Row row) {
    return row.textPair() == null ? "single texts" : "pairs";
  }

  /**
   * Examples for the model.
   *
   * @param truncated how many texts were cut at the maximum length
   * @param words what came of texts that were read by words
   */
  public record Encoded(List<Example> examples, int truncated, ExampleEncoder.WordCounts words) {
    /**
     * Where the examples of each row begin, and at the end their number: a long text that is read
     * by words becomes several, one after the other.
     */
    public int[] begins() {
      return IntStream.rangeClosed(0, examples.size())
          .filter(i -> i == examples.size() || !goesOn(examples.get(i)))
          .toArray();
    }

    private static boolean goesOn(Example example) {
      return example.words() != null && example.words().number() > 0;
    }
  }

  /**
   * Examples out of rows, labelled where the task's are; how many were cut is said.
   *
   * @param name what the notices call the data
   * @throws LoraGraphException if a row does not fit the model; it names the row
   */
  public Encoded labelled(String name, List<Row> rows) {
    return trained(name, rows, false);
  }

  /**
   * The same to train on.
   *
   * @param allSubwords whether all tokens of a word have its label, not the first alone
   * @throws LoraGraphException if a row does not fit the model; it names the row
   */
  public Encoded trained(String name, List<Row> rows, boolean allSubwords) {
    return trained(name, rows, allSubwords, row -> {});
  }

  /**
   * The same.
   *
   * @param cutRows gets every row of which a text is cut
   * @throws LoraGraphException if a row does not fit the model; it names the row
   */
  public Encoded trained(String name, List<Row> rows, boolean allSubwords, Consumer<Row> cutRows) {
    ExampleEncoder encoder = encoder(allSubwords).tellingCut(cutRows);
    List<Example> examples = task().encode(encoder, rows, labels);
    tellCut(name, encoder.cut(), rows.size());
    tellWords(name, encoder.wordCounts());
    if (encoder.divided() > 0) {
      notices.accept(
          "%s: %,d of %,d texts are longer than %d tokens and divided: %,d examples"
              .formatted(name, encoder.divided(), rows.size(), maxLength, examples.size()));
    }
    return new Encoded(examples, encoder.cut(), encoder.wordCounts());
  }

  /**
   * Examples with labels out of files that are not held in memory. They are closed with this.
   *
   * @param folder of the cache
   * @param content tells what the files hold, and how they are read, as a value for JSON
   * @param files what messages call them
   * @param reading hands over their rows, with the numbers of their files
   * @throws LoraGraphException if a row cannot be read, has a label that is none, or does not fit
   *     the model; it names the line, if it is met at once
   */
  public StreamedData streamed(
      Path folder, Object content, List<String> files, StreamedRows reading) {
    List<ValueInfo> inputs = answer.model().graph().requiredInputs();
    StreamedData data =
        StreamedData.open(
            new StreamedData.Source(folder, key(content, inputs), files),
            inputs,
            tables,
            (taker, said) ->
                reading.read(
                    (row, file) -> taker.take(row, file, task().targetOf(row, labels)), said),
            encoder(false),
            notices);
    streamed.add(data);
    return data;
  }

  /** The checksum of all that decides what rows become; in JSON no two values are written alike. */
  private String key(Object content, List<ValueInfo> inputs) {
    List<@Nullable Object> parts =
        Arrays.asList(
            StreamedData.VERSION,
            RunConfiguration.ownVersion(),
            content,
            // What are tokens already needs none.
            folder.hasTokenizer() ? Checksum.of(folder.tokenizerFile()) : null,
            Tokenizer.versionOfLibrary(),
            maxLength,
            task().toString(),
            labels.names(),
            inputs.stream().map(ValueInfo::name).toList(),
            new TreeMap<>(tables.rows()));
    try {
      return new Checksum.Builder().add(JSON.writeValueAsBytes(parts)).build();
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Hands over the rows of files, one by one. */
  @FunctionalInterface
  public interface StreamedRows {
    /**
     * Reads.
     *
     * @param taker gets each row with the number of its file
     * @param notices gets a line for whatever is guessed
     */
    void read(ObjIntConsumer<Row> taker, Consumer<String> notices);
  }

  /**
   * The same to measure with.
   *
   * @throws LoraGraphException as {@link #labelled(String, List)} does
   */
  public Encoded measured(String name, List<Row> rows) {
    Encoded encoded = labelled(name, rows);
    task().howMeasured().ifPresent(notices);
    return new Encoded(
        task().measured(encoded.examples(), this::tokenizer, outputs()),
        encoded.truncated(),
        encoded.words());
  }

  /**
   * What the training examples are in each epoch.
   *
   * @param rows that they were encoded from
   * @param masking how tokens are masked, where the task is to find them
   * @throws LoraGraphException if rows or tokenizer have not what that needs, or the task masks
   *     none
   */
  public EpochView view(List<Row> rows, Masking masking, long seed) {
    for (Row row : rows) {
      if (masking.wholeWords() && !row.isText()) {
        throw new LoraGraphException(
            row.place() + " has tokens, and which make up a word only text tells: give text");
      }
    }
    return task().view(masking, this::tokenizer, outputs(), seed);
  }

  /**
   * What the model says to an example.
   *
   * @param logits of the example, of all its tokens where they are answered
   * @param place the example's, for a message
   * @throws LoraGraphException if they are no answer
   */
  public Prediction prediction(float[] logits, Example example, String place) {
    return judge.prediction(logits, example, labels.names(), this::tokenizer, place);
  }

  /**
   * What the model says to a row that was read by words.
   *
   * @param logits of its examples
   * @param examples of the row, one after the other
   * @throws LoraGraphException if they are no answer
   */
  public Prediction prediction(List<float[]> logits, List<Example> examples, String place) {
    return judge.prediction(logits, examples, labels.names(), place);
  }

  /** Examples out of rows, labels not looked at. How many were cut is counted, and not said. */
  public Encoded unlabelled(List<Row> rows) {
    ExampleEncoder encoder = encoder(false);
    List<Example> examples = task().encodeUnlabelled(encoder, rows, labels);
    return new Encoded(examples, encoder.cut(), encoder.wordCounts());
  }

  /**
   * Says how many texts were cut, if any were.
   *
   * @param where what they come from
   */
  public void tellCut(String where, long cut, long texts) {
    if (cut > 0) {
      notices.accept(
          "%s: %,d of %,d texts cut at %d tokens".formatted(where, cut, texts, maxLength));
    }
  }

  /** Says what became of words, where that is not what it mostly is. */
  public void tellWords(String where, ExampleEncoder.WordCounts words) {
    words.notes(maxLength).forEach(note -> notices.accept(where + ": " + note));
  }

  /** Whether there is a tokenizer for the tokens of an example. */
  public boolean canDecode(Example example) {
    return folder.hasTokenizer() && example.inputs().containsKey("input_ids");
  }

  /** The tokens of an example that has {@code input_ids}, as text. */
  public List<String> tokens(Example example) {
    Values ids = Objects.requireNonNull(example.inputs().get("input_ids"));
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < ids.count(); i++) {
      texts.add(tokenizer().text((long) ids.get(i)));
    }
    return texts;
  }

  /** Makes examples of texts; it counts those that it cuts. */
  public ExampleEncoder encoder() {
    return encoder(false);
  }

  private ExampleEncoder encoder(boolean allSubwords) {
    return new ExampleEncoder(
            answer.model().graph().requiredInputs(),
            this::tokenizer,
            maxLength,
            tables,
            new ExampleEncoder.WordReading(this::wordTokenizer, stride, allSubwords, notices))
        .keepingFirst(task().ranks());
  }

  private WordTokenizer wordTokenizer() {
    return tokenizers.ofWords();
  }

  private Tokenizer tokenizer() {
    return tokenizers.of(maxLength);
  }

  /**
   * Begins to open the tokenizer on a thread of its own, while whoever asks opens something else.
   * What goes wrong there is told to the first who needs it.
   */
  public void openTokenizerAhead() {
    if (folder.hasTokenizer()) {
      tokenizers.openAhead(maxLength);
    }
  }

  /** What fills up {@code input_ids}: the configuration's id, or the tokenizer's. */
  public long padId() {
    if (folder.config().padTokenId().isPresent()) {
      return folder.config().padTokenId().getAsInt();
    }
    return folder.hasTokenizer() ? tokenizer().padId() : 0;
  }

  @Override
  public void close() {
    streamed.forEach(StreamedData::close);
    if (!shared) {
      tokenizers.close();
    }
  }
}
