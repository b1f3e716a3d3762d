package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.Values;
import io.github.loragraph.evaluation.Evaluator;
import io.github.loragraph.evaluation.ModelSession;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.ort.Weights;
import io.github.loragraph.training.EvaluationGraph;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The losses of whole runs of continued pretraining, computed once more: the tokens of a text, what
 * a seed masks of them, and the cross-entropy over the model's own logits are written down here.
 */
class MaskedLossTest {
  private static final int ROWS = 21;
  private static final int BATCH = 4;
  private static final int ACCUMULATE = 3;
  private static final int EPOCHS = 3;
  private static final long SEED = 5;

  /** What the model takes; longer texts would be divided. */
  private static final int LONGEST = 24;

  /** So small that no parameter changes. */
  private static final double NO_RATE = 1e-20;

  @TempDir Path folder;
  private Path model;
  private Path train;
  private List<String> texts;

  String engine() {
    return "graph";
  }

  OrtRuntime runtime() {
    return OrtRuntime.ofThisProcess();
  }

  @BeforeEach
  void prepare() throws IOException {
    Path source = MaskedModels.write(folder.resolve("mlm"), MaskedModels.Tie.COPIED);
    Cli.json("inject", source, "--match", "query|value", "--rank", 4);
    model = source.resolve("model.lora.onnx");
    // One word, of which seldom something is masked, among sentences of several lengths.
    texts =
        MaskedModels.texts(3 * ROWS, 1)
            .lines()
            .filter(text -> Tokens.of(text).ids.length <= LONGEST)
            .limit(ROWS - 1)
            .collect(Collectors.toCollection(ArrayList::new));
    texts.add(4, "pump");
    train = Files.write(folder.resolve("domain.txt"), texts);
  }

  /** The tokens of a text, and the number of the word that each is of; -1 for special ones. */
  private record Tokens(int[] ids, int[] words) {
    static Tokens of(String text) {
      List<Integer> ids = new ArrayList<>(List.of(0));
      List<Integer> words = new ArrayList<>(List.of(-1));
      String[] all = text.split(" ");
      for (int word = 0; word < all.length; word++) {
        String spelled = all[word].replaceAll("(?<=[a-z])(ing|ed|s)$", " ##$1");
        // "is" is a word of the vocabulary, and no plural.
        String[] pieces =
            spelled.contains(" ") && MaskedModels.id(all[word]) < 0
                ? spelled.split(" ")
                : new String[] {all[word]};
        for (String piece : pieces) {
          ids.add(MaskedModels.id(piece));
          words.add(word);
        }
      }
      ids.add(2);
      words.add(-1);
      return new Tokens(
          ids.stream().mapToInt(Integer::intValue).toArray(),
          words.stream().mapToInt(Integer::intValue).toArray());
    }
  }

  /** What the model sees, and what it is to find; -100 elsewhere. */
  private record Masked(int[] shown, int[] target) {
    static Masked of(
        Tokens tokens, double probability, boolean wholeWords, long seed, long epoch, int row) {
      Random random = new Random(mixed(mixed(mixed(seed) + epoch) + row));
      int[] shown = tokens.ids.clone();
      int[] target = new int[shown.length];
      Arrays.fill(target, -100);
      boolean chosen = false;
      for (int i = 1; i < shown.length - 1; i++) {
        boolean begins = tokens.words[i] != tokens.words[i - 1];
        if (!wholeWords || begins) {
          chosen = random.nextDouble() < probability;
        }
        if (chosen) {
          target[i] = shown[i];
          double kind = random.nextDouble();
          if (kind < 0.8) {
            shown[i] = MaskedModels.id("<mask>");
          } else if (kind < 0.9) {
            shown[i] = random.nextInt(MaskedModels.vocabulary());
          }
        }
      }
      return new Masked(shown, target);
    }

    private static long mixed(long number) {
      long z = number + 0x9e3779b97f4a7c15L;
      z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
      z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
      return z ^ (z >>> 31);
    }
  }

  /** Sum of the cross-entropies of masked tokens, and their number. */
  private record Loss(double sum, int count, int right) {
    double mean() {
      return count == 0 ? 0 : sum / count;
    }
  }

  private Loss loss(OnnxModel of, List<Masked> rows) {
    List<Example> examples = new ArrayList<>();
    for (Masked row : rows) {
      examples.add(
          new Example(
              Map.of(
                  "input_ids",
                  Values.of(row.shown),
                  "attention_mask",
                  Values.ones(row.shown.length)),
              null));
    }
    float[][] logits;
    try (Weights weights = new Weights();
        ModelSession session =
            new ModelSession(
                EvaluationGraph.of(of, Set.of()), new Sessions(runtime(), 1), weights, Map::of)) {
      logits = new Evaluator(of.graph().requiredInputs(), 1).logits(session, examples);
    }
    double sum = 0;
    int count = 0;
    int right = 0;
    int outputs = MaskedModels.vocabulary();
    for (int row = 0; row < logits.length; row++) {
      int[] target = rows.get(row).target;
      for (int token = 0; token < target.length; token++) {
        if (target[token] == -100) {
          continue;
        }
        int begin = token * outputs;
        double total = 0;
        float largest = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < outputs; i++) {
          total += Math.exp(logits[row][begin + i]);
          largest = Math.max(largest, logits[row][begin + i]);
        }
        sum += Math.log(total) - logits[row][begin + target[token]];
        right += largest == logits[row][begin + target[token]] ? 1 : 0;
        count++;
      }
    }
    return new Loss(sum, count, right);
  }

  private List<Masked> masked(double probability, boolean wholeWords, long seed, long epoch) {
    List<Masked> rows = new ArrayList<>();
    for (int row = 0; row < texts.size(); row++) {
      rows.add(Masked.of(Tokens.of(texts.get(row)), probability, wholeWords, seed, epoch, row));
    }
    return rows;
  }

  Path run(String engine, Object... more) {
    Path run = folder.resolve("run-" + engine);
    List<Object> words =
        new ArrayList<>(List.of("train", model, "--task", "masked-lm", "--data", train));
    words.addAll(List.of("--engine", engine, "--epochs", EPOCHS, "--batch-size", BATCH));
    words.addAll(List.of("--accumulate", ACCUMULATE, "--log-every", 1, "--seed", SEED));
    words.addAll(List.of(more));
    words.addAll(List.of("-o", run));
    Cli.json(words.toArray());
    return run;
  }

  static List<JsonNode> lines(Path run) throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
      lines.add(new ObjectMapper().readTree(line));
    }
    return lines;
  }

  /** Each step of each epoch, the last batch of which is a single text. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void eachStepsLossIsThatOverItsMaskedTokens(boolean wholeWords) throws IOException {
    double probability = wholeWords ? 0.3 : 0.15;
    List<Object> options = new ArrayList<>(List.of("--no-shuffle", "--lr", NO_RATE));
    options.addAll(List.of("--schedule", "constant", "--mlm-probability", probability));
    if (wholeWords) {
      options.add("--whole-word-masking");
    }
    List<JsonNode> lines = lines(run(engine(), options.toArray()));
    OnnxModel untrained = OnnxFile.read(model);
    int perStep = BATCH * ACCUMULATE;
    int step = 0;
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
      List<Masked> rows = masked(probability, wholeWords, SEED, epoch);
      for (int from = 0; from < ROWS; from += perStep) {
        Loss expected = loss(untrained, rows.subList(from, Math.min(ROWS, from + perStep)));
        assertTrue(expected.count > 0);
        double loss = lines.get(step++).get("loss").asDouble();
        assertEquals(expected.mean(), loss, 1e-5 * expected.mean(), "step " + step);
      }
    }
    assertEquals(lines.size(), step);
  }

  /** Held-out texts are masked by a seed of their own, whatever the training masks. */
  @Test
  void theHeldOutLossIsThatOfItsOwnMasks() throws IOException {
    Loss expected = loss(OnnxFile.read(model), masked(0.15, false, 0, -1));
    JsonNode evaluated = Cli.json("eval", model, "--task", "masked-lm", "--data", train);
    assertEquals(expected.count, evaluated.get("examples").asInt());
    assertEquals(expected.mean(), evaluated.get("loss").asDouble(), 1e-5);
    assertEquals(Math.exp(expected.mean()), evaluated.get("perplexity").asDouble(), 1e-3);
    assertEquals(
        (double) expected.right / expected.count, evaluated.get("accuracy").asDouble(), 1e-9);
    Path run =
        run(
            engine(),
            "--eval",
            train,
            "--lr",
            1e-2,
            "--mlm-probability",
            0.4,
            "--whole-word-masking");
    Loss tuned = loss(Runs.model(run), masked(0.15, false, 0, -1));
    List<JsonNode> lines = lines(run);
    assertEquals(
        tuned.mean(), lines.get(lines.size() - 1).get("evalLoss").asDouble(), 1e-4 * tuned.mean());
  }
}
