package io.github.loragraph.data;

import io.github.loragraph.error.Counted;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.training.CrossEntropyLoss;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes examples for a model out of rows of a data file.
 *
 * <p>Long because all ways from a row to what a model takes are held to the same checks.
 */
public final class ExampleEncoder {
  private static final String IDS = "input_ids";
  private static final String MASK = "attention_mask";
  private static final String TYPES = "token_type_ids";
  private static final Set<ElementType> SUPPORTED =
      Set.of(
          ElementType.INT64,
          ElementType.INT32,
          ElementType.BOOL,
          ElementType.FLOAT,
          ElementType.DOUBLE);
  private final List<ValueInfo> inputs;
  private final List<String> names;
  private final Supplier<Tokenizer> tokenizer;
  private final int maxLength;
  private final EmbeddingTables tables;
  private final WordReading words;
  private final WordCounts counts = new WordCounts();
  private boolean keepFirst;
  private Consumer<Row> cutRows = row -> {};
  private int cut;
  private int divided;

  /**
   * How sentences are read by words.
   *
   * @param tokenizer asked for only if they are
   * @param stride tokens that two windows of a long sentence have in common; null for a quarter of
   *     their length
   * @param allSubwords whether all tokens of a word have a target, not its first alone
   * @param notices gets a line for whatever is guessed
   */
  public record WordReading(
      Supplier<WordTokenizer> tokenizer,
      @Nullable Integer stride,
      boolean allSubwords,
      Consumer<String> notices) {}

  /** What came of reading sentences by words. */
  public static final class WordCounts {
    private long sentences;
    private long longer;
    private long windows;
    private long withoutToken;

    /** How many sentences are longer than a row may be. */
    public long longer() {
      return longer;
    }

    /** Adds those of other sentences. */
    public void add(WordCounts others) {
      sentences += others.sentences;
      longer += others.longer;
      windows += others.windows;
      withoutToken += others.withoutToken;
    }

    /** What is worth saying, a line each. */
    public List<String> notes(int maxLength) {
      List<String> notes = new ArrayList<>();
      if (longer > 0) {
        notes.add(
            "%,d of %,d texts are longer than %d tokens and are read in %,d windows that overlap"
                .formatted(longer, sentences, maxLength, windows));
      }
      if (withoutToken > 0) {
        notes.add(
            Counted.of(
                withoutToken,
                "word has no token of its own: it is taken to be outside of entities",
                "words have no token of their own: they are taken to be outside of entities"));
      }
      return notes;
    }
  }

  /** For a model of whose tables nothing is known. */
  public ExampleEncoder(List<ValueInfo> inputs, Supplier<Tokenizer> tokenizer, int maxLength) {
    this(inputs, tokenizer, maxLength, EmbeddingTables.UNKNOWN);
  }

  /**
   * @param inputs the model's inputs
   * @param tokenizer asked for only if the rows are text
   * @param maxLength no row may be longer
   * @param tables no token may be outside of them
   * @throws LoraGraphException if an input is of a type that no data file can give
   */
  public ExampleEncoder(
      List<ValueInfo> inputs,
      Supplier<Tokenizer> tokenizer,
      int maxLength,
      EmbeddingTables tables) {
    this(
        inputs,
        tokenizer,
        maxLength,
        tables,
        new WordReading(
            () -> {
              throw new IllegalStateException("no tokenizer for words");
            },
            null,
            false,
            line -> {}));
  }

  /**
   * The same for sentences that are read by words, too.
   *
   * @throws LoraGraphException if an input is of a type that no data file can give
   */
  public ExampleEncoder(
      List<ValueInfo> inputs,
      Supplier<Tokenizer> tokenizer,
      int maxLength,
      EmbeddingTables tables,
      WordReading words) {
    for (ValueInfo input : inputs) {
      if (input.type() == null || !SUPPORTED.contains(input.type().elementType())) {
        throw new LoraGraphException(
            "the model's input '%s' is of type %s, which data files cannot give"
                .formatted(
                    input.name(), input.type() == null ? "no tensor" : input.type().elementType()));
      }
    }
    this.inputs = List.copyOf(inputs);
    this.names = inputs.stream().map(ValueInfo::name).toList();
    this.tokenizer = tokenizer;
    this.maxLength = maxLength;
    this.tables = tables;
    this.words = words;
  }

  /** The same, but of a pair that is too long the second text is cut, and not the first. */
  public ExampleEncoder keepingFirst(boolean keep) {
    keepFirst = keep;
    return this;
  }

  /** The same, but every row of which a text is cut is handed over. */
  public ExampleEncoder tellingCut(Consumer<Row> taker) {
    cutRows = taker;
    return this;
  }

  /** How many texts were cut at the maximum length so far. */
  public int cut() {
    return cut;
  }

  /** What came of sentences that were read by words so far. */
  public WordCounts wordCounts() {
    return counts;
  }

  /** Gets a line for whatever is guessed of words and their labels. */
  public Consumer<String> notices() {
    return words.notices();
  }

  /**
   * Encodes texts by their words, long ones in windows: one after the other, so that a row may
   * become several examples.
   *
   * @param rows of text
   * @param names of the classes
   * @param classes makes those of the words, of a row and its words; null where none are wanted
   * @throws LoraGraphException as they do, or if a row does not fit the model or its tokenizer
   *     tells no words apart; it names the line
   */
  public List<Example> byWords(
      List<Row> rows, List<String> names, @Nullable BiFunction<Row, Sentence, int[]> classes) {
    requireTextInputs();
    WordTokenizer tokens = words.tokenizer().get();
    WordEncoder encoder = new WordEncoder(maxLength, words.stride());
    List<WordEncoder.Aligned> sentences =
        rows.parallelStream().map(row -> WordEncoder.align(tokens, row)).toList();
    List<Example> examples = new ArrayList<>(rows.size());
    for (int i = 0; i < sentences.size(); i++) {
      Row row = rows.get(i);
      WordEncoder.Aligned aligned = sentences.get(i);
      if (classes != null) {
        Sentence sentence = aligned.sentence();
        aligned =
            new WordEncoder.Aligned(
                sentence.with(classes.apply(row, sentence)), aligned.tokens(), aligned.wordOf());
      }
      List<WordEncoder.Window> windows = encoder.windows(aligned, names, words.allSubwords());
      counts.sentences++;
      counts.withoutToken += aligned.withoutToken();
      counts.longer += windows.size() > 1 ? 1 : 0;
      counts.windows += windows.size() > 1 ? windows.size() : 0;
      for (WordEncoder.Window window : windows) {
        examples.add(new Example(inputs(row, window.tokens()), window.target(), window.words()));
      }
    }
    return examples;
  }

  /**
   * Encodes rows with what a loss is told of them.
   *
   * @param target makes it of a row
   * @throws LoraGraphException as the target does, or if a row does not fit the model; it names the
   *     line
   */
  public List<Example> withTargets(List<Row> rows, Function<Row, Values> target) {
    List<Values> targets = rows.stream().map(target).toList();
    List<Map<String, Values>> encoded = encode(rows);
    List<Example> examples = new ArrayList<>(rows.size());
    for (int i = 0; i < rows.size(); i++) {
      examples.add(new Example(encoded.get(i), targets.get(i)));
    }
    return examples;
  }

  /** Encodes rows without looking at labels. */
  public List<Example> withoutLabels(List<Row> rows) {
    List<Map<String, Values>> encoded = encode(rows);
    return encoded.stream().map(values -> new Example(values, null)).toList();
  }

  /**
   * Encodes rows for a task that learns from the texts alone, each whole: a text that is longer
   * than the model takes gives several examples. Both texts of a pair are texts by themselves. The
   * target of an example has the number of the word that each token is of, {@value
   * CrossEntropyLoss#IGNORE_INDEX} for special ones; in pre-tokenized rows each token is a word.
   *
   * @throws LoraGraphException if a row does not fit the model; it names the line
   */
  public List<Example> parts(List<Row> rows) {
    List<Example> examples = new ArrayList<>();
    if (rows.stream().noneMatch(Row::isText)) {
      Set<Integer> special = tokenizer.get().special();
      for (Map<String, Values> values : encode(rows)) {
        examples.add(new Example(values, tokensAsWords(values, special)));
      }
      return examples;
    }
    List<String> texts = new ArrayList<>();
    List<Row> ofText = new ArrayList<>();
    for (Row row : rows) {
      if (row.text() == null) {
        throw new LoraGraphException(
            row.place() + " mixes text and pre-tokenized rows: split the data");
      }
      texts.add(row.text());
      ofText.add(row);
      if (row.textPair() != null) {
        texts.add(row.textPair());
        ofText.add(row);
      }
    }
    requireTextInputs();
    List<List<Tokenizer.Part>> all = tokenizer.get().parts(texts);
    for (int i = 0; i < all.size(); i++) {
      divided += all.get(i).size() > 1 ? 1 : 0;
      for (Tokenizer.Part part : all.get(i)) {
        Tokenizer.Tokens tokens = new Tokenizer.Tokens(part.ids(), part.types(), false);
        examples.add(new Example(inputs(ofText.get(i), tokens), Values.of(part.words())));
      }
    }
    return examples;
  }

  /** How many texts were divided among several examples so far. */
  public int divided() {
    return divided;
  }

  private static Values tokensAsWords(Map<String, Values> values, Set<Integer> special) {
    Values ids = Objects.requireNonNull(values.get(IDS));
    Values mask = values.get(MASK);
    int[] words = new int[ids.count()];
    for (int i = 0; i < words.length; i++) {
      boolean never =
          special.contains((int) ids.get(i))
              || mask != null && mask.rank() == 1 && mask.get(i) == 0;
      words[i] = never ? (int) CrossEntropyLoss.IGNORE_INDEX : i;
    }
    return Values.of(words);
  }

  /** The tokenizer, for those who have to know its vocabulary. */
  public Tokenizer tokenizer() {
    return tokenizer.get();
  }

  private List<Map<String, Values>> encode(List<Row> rows) {
    if (rows.isEmpty()) {
      return List.of();
    }
    boolean text = rows.get(0).isText();
    for (Row row : rows) {
      requireAlike(row, text, rows.get(0).textPair() != null);
    }
    return text ? encodeText(rows) : rows.stream().map(this::given).toList();
  }

  /**
   * Holds a row to the kind of those before it.
   *
   * @throws LoraGraphException if it is of another; it names the line
   */
  public static void requireAlike(Row row, boolean text, boolean pairs) {
    if (row.isText() != text) {
      throw new LoraGraphException(
          row.place() + " mixes text and pre-tokenized rows: split the data");
    }
    if ((row.textPair() != null) != pairs) {
      throw new LoraGraphException(row.place() + " mixes single texts and pairs: split the data");
    }
  }

  private List<Map<String, Values>> encodeText(List<Row> rows) {
    requireTextInputs();
    @Nullable List<String> pairs =
        rows.get(0).textPair() == null ? null : rows.stream().map(Row::textPair).toList();
    List<Map<String, Values>> encoded = new ArrayList<>(rows.size());
    for (Tokenizer.Tokens tokens :
        tokenizer.get().encode(rows.stream().map(Row::text).toList(), pairs, keepFirst)) {
      Row row = rows.get(encoded.size());
      if (tokens.cut()) {
        cut++;
        cutRows.accept(row);
      }
      encoded.add(inputs(row, tokens));
    }
    return encoded;
  }

  /**
   * Says before texts are there that none can be encoded.
   *
   * @throws LoraGraphException if the model takes what no text gives, or there is no tokenizer
   */
  void requireTexts() {
    requireTextInputs();
    Objects.requireNonNull(tokenizer.get());
  }

  private void requireTextInputs() {
    for (String input : names) {
      if (!Tokenizer.INPUTS.contains(input)) {
        throw new LoraGraphException(
            "the model's input '%s' cannot be made from text".formatted(input), Remedy.GIVE_TOKENS);
      }
    }
  }

  private Map<String, Values> inputs(Row row, Tokenizer.Tokens tokens) {
    refuseForeignTokens(row, tokens);
    Map<String, Values> values = new HashMap<>(4);
    for (String input : names) {
      values.put(
          input,
          switch (input) {
            case IDS -> Values.of(tokens.ids());
            case MASK -> Values.ones(tokens.ids().length);
            default -> types(tokens);
          });
    }
    return values;
  }

  /** A lookup outside of its table fails inside of ONNX Runtime, or reads what is not there. */
  private void refuseForeignTokens(Row row, Tokenizer.Tokens tokens) {
    int known = tables.rows().getOrDefault(IDS, Integer.MAX_VALUE);
    for (int id : tokens.ids()) {
      if (id >= known) {
        throw new LoraGraphException(
            "%s: the tokenizer gives the token %d, and the model's vocabulary has %d: tokenizer.json is another model's"
                .formatted(row.place(), id, known));
      }
    }
    int types = tables.rows().getOrDefault(TYPES, Integer.MAX_VALUE);
    for (int type : tokens.types()) {
      if (type >= types) {
        throw new LoraGraphException(
            "%s: the tokenizer gives the token type %d, and the model has %d: tokenizer.json is another model's"
                .formatted(row.place(), type, types));
      }
    }
  }

  private static Values types(Tokenizer.Tokens tokens) {
    return Arrays.stream(tokens.types()).allMatch(type -> type == 0)
        ? Values.zeros(tokens.ids().length)
        : Values.of(tokens.types());
  }

  private Map<String, Values> given(Row row) {
    for (String name : row.values().keySet()) {
      if (!names.contains(name) && !Tokenizer.INPUTS.contains(name)) {
        throw new LoraGraphException(
            "%s has '%s', which is no input of the model; its inputs are: %s"
                .formatted(row.place(), name, String.join(", ", names)));
      }
    }
    Values ids = row.values().get(IDS);
    Map<String, Values> values = new LinkedHashMap<>();
    AxisSizes sizes = new AxisSizes(row);
    for (ValueInfo input : inputs) {
      String name = input.name();
      Values given = row.values().get(name);
      if (given == null && ids != null && name.equals(MASK)) {
        given = Values.ones(ids.count());
      } else if (given == null && ids != null && name.equals(TYPES)) {
        given = Values.zeros(ids.count());
      } else if (given == null) {
        throw new LoraGraphException(
            "%s has no '%s', which the model takes: its inputs are: %s"
                .formatted(row.place(), name, String.join(", ", names)));
      }
      values.put(name, fitting(row, input, given, sizes));
    }
    return values;
  }

  private Values fitting(Row row, ValueInfo input, Values given, AxisSizes sizes) {
    TensorType type = input.requireType();
    Values values = given;
    if (type.shape() != null) {
      int rank = type.shape().rank() - 1;
      values = rank == 0 ? given.squeezed() : given;
      if (values.rank() != rank) {
        throw new LoraGraphException(
            "%s: '%s' has %d axes where the model takes %d for each example"
                .formatted(row.place(), input.name(), values.rank(), rank));
      }
      for (int axis = 0; axis < rank; axis++) {
        sizes.check(input.name(), type.shape().dimension(axis + 1), values.size(axis));
      }
    }
    if (!type.isFloatingPoint() && !values.areIntegers()) {
      throw new LoraGraphException(
          "%s: '%s' has fractions where the model takes %s"
              .formatted(row.place(), input.name(), type.elementType()));
    }
    if (Tokenizer.INPUTS.contains(input.name())) {
      refuseBadTokens(row, input.name(), values);
    }
    refuseOutside(row, input.name(), values);
    return values;
  }

  private void refuseBadTokens(Row row, String name, Values values) {
    int length = values.count();
    if (length == 0) {
      throw new LoraGraphException(
          "%s: '%s' is empty: mend the row, or leave it out".formatted(row.place(), name));
    }
    if (length > maxLength) {
      throw new LoraGraphException(
          "%s has %d tokens where the maximum is %d".formatted(row.place(), length, maxLength),
          Remedy.CUT_OR_ALLOW_MORE_TOKENS);
    }
    for (int i = 0; i < length; i++) {
      if (values.get(i) < 0) {
        throw new LoraGraphException(
            "%s: '%s' has the negative number %d"
                .formatted(row.place(), name, (long) values.get(i)));
      }
    }
  }

  private void refuseOutside(Row row, String name, Values values) {
    Integer rows = tables.rows().get(name);
    for (int i = 0; rows != null && i < values.count(); i++) {
      double number = values.get(i);
      if (number < 0 || number >= rows) {
        throw new LoraGraphException(
            "%s: '%s' has %d, and the model's table for it has %d rows, from 0 on"
                .formatted(row.place(), name, (long) number, rows));
      }
    }
  }
}
