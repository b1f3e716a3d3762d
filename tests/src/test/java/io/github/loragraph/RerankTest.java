package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.cli.LoraGraph;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.models.ReferenceArchitecture;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.training.RelevanceLoss;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Rerankers, from a data file to a ranking: a tiny encoder with a tokenizer of whole words. */
class RerankTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int WORDS = 30;

  /** Words that only irrelevant documents have. */
  private static final int BAD = 10;

  @TempDir Path folder;
  private Path model;

  @BeforeEach
  void makeModel() throws IOException {
    OnnxModel encoder = new ReferenceArchitecture(32, 2, 2, 64, WORDS + 4, 40, 2).model(0);
    Path source = Files.createDirectory(folder.resolve("encoder"));
    OnnxFile.write(Encoders.of(encoder, 32), source.resolve("model.onnx"), false);
    StringBuilder vocabulary = new StringBuilder("\"[CLS]\":0,\"[PAD]\":1,\"[SEP]\":2,\"[UNK]\":3");
    for (int i = 0; i < WORDS; i++) {
      vocabulary.append(",\"w%d\":%d".formatted(i, 4 + i));
    }
    String tokenizer =
        """
        {"version": "1.0", "added_tokens": [], "normalizer": null,
         "pre_tokenizer": {"type": "Whitespace"},
         "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 0]},
         "decoder": null,
         "model": {"type": "WordLevel", "unk_token": "[UNK]", "vocab": {%s}}}
        """
            .formatted(vocabulary);
    Files.writeString(source.resolve("tokenizer.json"), tokenizer);
    model = folder.resolve("model");
    Cli.json("add-head", source, "--task", "rerank", "-o", model);
  }

  /** A query, documents of several lengths, and how relevant each is. */
  private record Query(String text, List<String> documents, List<Double> labels) {}

  /**
   * Queries with one to six candidates each, some of them there twice; the first query has none
   * that is relevant, the second a single candidate.
   */
  private static List<Query> queries(int count, long seed) {
    Random random = new Random(seed);
    List<Query> queries = new ArrayList<>();
    for (int q = 0; q < count; q++) {
      List<String> documents = new ArrayList<>();
      List<Double> labels = new ArrayList<>();
      int candidates = q == 1 ? 1 : 2 + random.nextInt(5);
      for (int c = 0; c < candidates; c++) {
        boolean relevant = q > 0 && (c == 0 || random.nextInt(4) == 0);
        documents.add(words(random, 1 + random.nextInt(9), relevant ? BAD : 0, relevant));
        labels.add(relevant ? (c == 0 ? 1 : 0.5) : 0.0);
      }
      if (q % 4 == 2) {
        documents.add(documents.get(0));
        labels.add(labels.get(0));
      }
      queries.add(new Query("w%d w%d w%d".formatted(q % WORDS, q / WORDS, 5), documents, labels));
    }
    return queries;
  }

  private static String words(Random random, int count, int from, boolean relevant) {
    List<String> words = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      words.add("w" + (from + random.nextInt(WORDS - from)));
    }
    if (!relevant) {
      words.set(random.nextInt(count), "w" + random.nextInt(BAD));
    }
    return String.join(" ", words);
  }

  private Path lists(String name, List<Query> queries) throws IOException {
    StringBuilder lines = new StringBuilder();
    for (Query query : queries) {
      Map<String, Object> row = new LinkedHashMap<>();
      row.put("query", query.text);
      row.put("documents", query.documents);
      row.put("labels", query.labels);
      lines.append(JSON.writeValueAsString(row)).append('\n');
    }
    return Files.writeString(folder.resolve(name), lines);
  }

  private Path pairs(String name, List<Query> queries) throws IOException {
    StringBuilder lines = new StringBuilder("query\tpassage\tscore\n");
    for (Query query : queries) {
      for (int i = 0; i < query.documents.size(); i++) {
        lines.append(
            "%s\t%s\t%s\n".formatted(query.text, query.documents.get(i), query.labels.get(i)));
      }
    }
    return Files.writeString(folder.resolve(name), lines);
  }

  private Path file(String name, String content) throws IOException {
    return Files.writeString(folder.resolve(name), content);
  }

  private JsonNode train(Path data, String run, Object... more) {
    List<Object> words =
        new ArrayList<>(
            List.of("train", model, "--data", data, "--method", "full", "--engine", "graph"));
    words.addAll(List.of(more));
    words.addAll(List.of("-o", folder.resolve(run)));
    return Cli.json(words.toArray());
  }

  /** The logits of all documents, in their order, by the model itself. */
  private double[][] logits(Path of, List<Query> queries) {
    double[][] logits = new double[queries.size()][];
    try (Predictor predictor = Model.open(of).predictor()) {
      for (int q = 0; q < logits.length; q++) {
        Query query = queries.get(q);
        logits[q] = new double[query.documents.size()];
        for (RankedDocument document : predictor.rank(query.text, query.documents)) {
          double score = document.score();
          logits[q][document.index()] = Math.log(score / (1 - score));
        }
      }
    }
    return logits;
  }

  /** Written down from the definitions. */
  private static double loss(String name, double[][] logits, List<Query> queries) {
    double sum = 0;
    int count = 0;
    for (int q = 0; q < logits.length; q++) {
      List<Double> labels = queries.get(q).labels;
      double total = Arrays.stream(logits[q]).map(Math::exp).sum();
      double relevance =
          labels.stream()
              .mapToDouble(name.equals("list-net") ? Math::exp : Double::doubleValue)
              .sum();
      for (int i = 0; i < logits[q].length; i++) {
        double label = labels.get(i);
        double p = 1 / (1 + Math.exp(-logits[q][i]));
        double share = (name.equals("list-net") ? Math.exp(label) : label) / relevance;
        if (name.equals("binary-cross-entropy")) {
          sum -= label * Math.log(p) + (1 - label) * Math.log(1 - p);
          count++;
        } else if (relevance > 0) {
          sum -= share * Math.log(Math.exp(logits[q][i]) / total);
        }
      }
      count += !name.equals("binary-cross-entropy") && relevance > 0 ? 1 : 0;
    }
    return sum / count;
  }

  @ParameterizedTest
  @ValueSource(strings = {"binary-cross-entropy", "listwise-softmax", "list-net"})
  void theFirstLossIsThatOfItsDefinition(String loss) throws IOException {
    List<Query> queries = queries(9, 3);
    JsonNode trained =
        train(
            lists("train.jsonl", queries), "run", "--loss", loss, "--steps", 1, "--batch-size", 99);
    double expected = loss(loss, logits(model, queries), queries);
    assertEquals(expected, trained.get("finalTrainLoss").asDouble(), 1e-5);
  }

  /** Lists, groups of a positive and negatives, and pairs with labels are the same data. */
  @ParameterizedTest
  @ValueSource(strings = {"binary-cross-entropy", "listwise-softmax", "list-net"})
  void theSameDataInEachFormGivesTheSameModel(String loss) throws IOException {
    List<Query> queries = queries(9, 4);
    Object[] options = {"--loss", loss, "--epochs", 2, "--batch-size", 3, "--lr", "1e-3"};
    train(lists("lists.jsonl", queries), "lists", options);
    train(pairs("pairs.tsv", queries), "pairs", options);
    byte[] expected = Runs.learned(folder.resolve("lists"));
    assertArrayEquals(expected, Runs.learned(folder.resolve("pairs")));
    List<Example> examples = new ArrayList<>();
    for (Query query : queries) {
      for (int i = 0; i < query.documents.size(); i++) {
        examples.add(
            Example.pair(query.text, query.documents.get(i)).withNumber(query.labels.get(i)));
      }
    }
    TrainingArguments arguments =
        TrainingArguments.builder()
            .method(TrainingArguments.Method.FULL)
            .engine(TrainingArguments.Engine.GRAPH)
            .loss(loss)
            .numTrainEpochs(2)
            .trainBatchSize(3)
            .learningRate(1e-3)
            .build();
    TrainingResult trained = Model.open(model).train(Dataset.of(examples), arguments);
    Path saved = trained.model().save(folder.resolve("program"));
    assertArrayEquals(
        parameters(Runs.model(folder.resolve("lists"))), parameters(OnnxFile.read(saved)), 0);
    Path groups = file("groups.jsonl", "");
    StringBuilder lines = new StringBuilder();
    StringBuilder same = new StringBuilder("query\tdocument\tlabel\n");
    for (int q = 0; q < 5; q++) {
      lines.append(
          "{\"query\":\"w%d\",\"positive\":\"w7 w%d\",\"negatives\":[\"w1\",\"w2 w3\"]}\n"
              .formatted(q, q));
      same.append("w%d\tw7 w%d\t1\nw%d\tw1\t0\nw%d\tw2 w3\t0\n".formatted(q, q, q, q));
    }
    Files.writeString(groups, lines);
    train(groups, "groups", options);
    train(file("same.tsv", same.toString()), "same", options);
    assertArrayEquals(Runs.learned(folder.resolve("groups")), Runs.learned(folder.resolve("same")));
  }

  private static float[] parameters(OnnxModel trained) {
    List<Float> all = new ArrayList<>();
    trained.graph().initializers().values().stream()
        .filter(tensor -> tensor.type().isFloatingPoint())
        .sorted((a, b) -> a.name().compareTo(b.name()))
        .forEach(
            tensor -> {
              for (float value : tensor.toFloats()) {
                all.add(value);
              }
            });
    float[] floats = new float[all.size()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = all.get(i);
    }
    return floats;
  }

  /** Two batches of two queries are one of four, whichever have no relevant document. */
  @ParameterizedTest
  @ValueSource(strings = {"binary-cross-entropy", "listwise-softmax", "list-net"})
  void accumulatedBatchesAreOneBatch(String loss) throws IOException {
    Path data = lists("train.jsonl", queries(8, 5));
    Object[] options = {
      "--loss", loss, "--epochs", 2, "--lr", "1e-3", "--epsilon", "1e-4", "--no-shuffle"
    };
    List<Object> one = new ArrayList<>(List.of(options));
    one.addAll(List.of("--batch-size", 4));
    List<Object> two = new ArrayList<>(List.of(options));
    two.addAll(List.of("--batch-size", 2, "--accumulate", 2));
    train(data, "one", one.toArray());
    train(data, "two", two.toArray());
    // A piece has whole queries, where they are compared.
    one.addAll(List.of("--micro-batch", 1));
    train(data, "pieces", one.toArray());
    float[] expected = parameters(Runs.model(folder.resolve("one")));
    float[] found = parameters(Runs.model(folder.resolve("two")));
    assertArrayEquals(expected, found, 2e-4f);
    float[] inPieces = parameters(Runs.model(folder.resolve("pieces")));
    assertArrayEquals(expected, inPieces, 2e-4f);
    assertEquals("1", Runs.record(folder.resolve("pieces")).get("microBatch").asText());
    assertEquals(0, distance(expected, inPieces), 1e-3);
    assertNotEquals(
        0, distance(expected, parameters(OnnxFile.read(model.resolve("model.onnx")))), 1e-3);
    assertEquals(0, distance(expected, found), 1e-3);
  }

  private static double distance(float[] a, float[] b) {
    double squares = 0;
    for (int i = 0; i < a.length; i++) {
      squares += (a[i] - b[i]) * (a[i] - b[i]);
    }
    return Math.sqrt(squares);
  }

  /** Gradients of the whole model against differences of its loss. */
  @ParameterizedTest
  @EnumSource(RelevanceLoss.Kind.class)
  void gradientsAreDifferencesOfTheLoss(RelevanceLoss.Kind kind) {
    OnnxModel reranker = new ReferenceArchitecture(16, 1, 2, 32, 20, 20, 1).model(3);
    Random random = new Random(4);
    List<HostTensor> batch =
        List.of(
            Gradients.longs("input_ids", random.longs(30, 2, 20).toArray(), 6, 5),
            Gradients.longs("attention_mask", random.longs(30, 1, 2).toArray(), 6, 5),
            Gradients.floats("labels", new float[] {4, 0, 2, 1, 4, 1, 2, 0.5f, 2, 0, 9, 0}, 6, 2));
    RelevanceLoss loss = new RelevanceLoss(kind);
    Set<String> names = TrainableSelection.of(Method.FULL).values(reranker);
    Map<String, float[]> gradients = Gradients.of(reranker, names, loss, batch).byValue();
    List<String> some =
        gradients.keySet().stream()
            .filter(name -> name.matches(".*(classifier|LayerNorm.weight|query).*"))
            .limit(4)
            .toList();
    assertEquals(4, some.size(), gradients.keySet()::toString);
    for (String name : some) {
      Tensor weight = reranker.graph().initializer(name);
      float[] gradient = gradients.get(name);
      int place = random.nextInt(gradient.length);
      float step = 2e-2f;
      double[] losses = new double[2];
      for (int side = 0; side < 2; side++) {
        float[] values = weight.toFloats();
        values[place] += side == 0 ? step : -step;
        OnnxModel moved = reranker.withGraph(reranker.graph().copy());
        moved.graph().putInitializer(Tensor.ofFloats(weight.name(), values, weight.dims()));
        losses[side] = Gradients.of(moved, names, loss, batch).loss();
      }
      double difference = (losses[0] - losses[1]) / (2 * step);
      assertEquals(difference, gradient[place], 1e-3 + 0.02 * Math.abs(difference), weight.name());
    }
  }

  /** A run that is stopped after a step and gone on with ends in the same bytes. */
  @ParameterizedTest
  @ValueSource(strings = {"binary-cross-entropy", "listwise-softmax"})
  void aStoppedRunGoesOnToTheSameBytes(String loss) throws IOException {
    Path data = lists("train.jsonl", queries(11, 6));
    TrainingArguments.Builder arguments =
        TrainingArguments.builder()
            .method(TrainingArguments.Method.FULL)
            .engine(TrainingArguments.Engine.GRAPH)
            .loss(loss)
            .numTrainEpochs(3)
            .trainBatchSize(4)
            .gradientAccumulationSteps(2);
    Model from = Model.open(model);
    from.train(Dataset.file(data), arguments.outputDir(folder.resolve("straight")).build());
    Path stopped = folder.resolve("stopped");
    int[] steps = new int[1];
    TrainingListener stop =
        new TrainingListener() {
          @Override
          public void onStepEnd(StepMetrics step) {
            steps[0]++;
          }

          @Override
          public boolean shouldTrainingStop() {
            return steps[0] >= 3;
          }
        };
    arguments.outputDir(stopped);
    assertThrows(
        TrainingCancelledException.class,
        () -> from.train(Dataset.file(data), arguments.build(), stop));
    from.train(Dataset.file(data), arguments.resumeFromCheckpoint(true).build());
    assertArrayEquals(Runs.learned(folder.resolve("straight")), Runs.learned(stopped));
  }

  @ParameterizedTest
  @ValueSource(strings = {"binary-cross-entropy", "listwise-softmax", "list-net"})
  void itLearnsToRank(String loss) throws IOException {
    Path data = lists("train.jsonl", queries(60, 7));
    List<Query> heldOut = queries(30, 8);
    Path eval = pairs("eval.tsv", heldOut);
    JsonNode before = Cli.json("eval", model, "--data", eval);
    Object[] options = {"--loss", loss, "--epochs", 12, "--lr", "2e-3", "--eval", eval};
    JsonNode trained = train(data, "run", options);
    double ndcg = trained.get("eval").get("ndcg@10").asDouble();
    assertTrue(ndcg > 0.93, trained::toString);
    assertTrue(ndcg > before.get("ndcg@10").asDouble() + 0.05, before::toString);
    // The run says itself what it is.
    JsonNode measured = Cli.json("eval", folder.resolve("run"), "--data", eval);
    assertEquals(ndcg, measured.get("ndcg@10").asDouble(), 1e-9);
    assertEquals(30, measured.get("queries").asInt());
    assertEquals(1, measured.get("queriesWithoutRelevant").asInt());
    double[][] logits = logits(folder.resolve("run"), heldOut);
    assertEquals(
        loss("binary-cross-entropy", logits, heldOut), measured.get("loss").asDouble(), 1e-4);
    assertEquals(
        loss("listwise-softmax", logits, heldOut), measured.get("listwiseLoss").asDouble(), 1e-4);
  }

  @Test
  void aQueryRanksDocuments() throws IOException {
    List<String> documents = List.of("w3 w4", "w20 w21 w22", "w1", "w20 w21 w22");
    JsonNode ranking =
        Cli.json("predict", model, "--query", "w5 w6", "w3 w4", "w20 w21 w22", "w1", "w20 w21 w22")
            .get("rankings")
            .get(0);
    assertEquals("w5 w6", ranking.get("query").asText());
    assertEquals(4, ranking.get("documents").size());
    double above = 1;
    List<Integer> indices = new ArrayList<>();
    for (JsonNode document : ranking.get("documents")) {
      assertEquals(indices.size() + 1, document.get("rank").asInt());
      assertTrue(document.get("score").asDouble() <= above);
      above = document.get("score").asDouble();
      indices.add(document.get("index").asInt());
      assertEquals(
          documents.get(indices.get(indices.size() - 1)), document.get("document").asText());
    }
    assertEquals(indices.indexOf(3), indices.indexOf(1) + 1, "equal ones stay in their order");
    Cli lines = Cli.run("predict", model, "--query", "w5 w6", "w3 w4", "w20 w21 w22");
    assertEquals(2, lines.out().lines().count(), lines.out());
    assertTrue(lines.out().startsWith("1\t0."), lines.out());
    Path data = lists("data.jsonl", queries(3, 9));
    Cli all = Cli.run("predict", model, "--data", data);
    assertEquals(0, all.exitCode(), all.err());
    assertTrue(all.out().startsWith("w0 w0 w5\t1\t0."), all.out());
    Path out = folder.resolve("ranked.tsv");
    Cli.json("predict", model, "--data", data, "-o", out);
    assertEquals(
        "query\tdocument\tpredicted_rank\tpredicted_score", Files.readAllLines(out).get(0));
    Path unlabelled =
        file("unlabelled.jsonl", "{\"query\":\"w1\",\"documents\":[\"w2\",\"w3\"]}\n");
    assertEquals(2, Cli.run("predict", model, "--data", unlabelled).out().lines().count());
    // A pair is a pair, whoever joins it.
    double score =
        Cli.json("predict", model, "w5 w6\tw1").get("predictions").get(0).get("score").asDouble();
    int place = indices.indexOf(2);
    assertEquals(score, ranking.get("documents").get(place).get("score").asDouble(), 1e-6);
  }

  /** Of a pair that is too long the document is cut, as long as there is any of it. */
  @Test
  void theQueryIsNotCutBeforeTheDocument() {
    String query = "w1 w2 w3 w4 w5 w6 w7 w8";
    String document = "w11 w12 w13 w14 w15 w16 w17 w18";
    String shorter = "w11 w12 w13";
    Cli cut = ranked(query, 14, document);
    assertTrue(cut.err().contains("1 of 1 documents cut at 14 tokens"), cut.err());
    assertEquals(score(ranked(query, 14, shorter)), score(cut));
    // One token of the document is left: longest_first would have cut the query to six.
    assertEquals(score(ranked(query, 12, "w11")), score(ranked(query, 12, document)));
    assertNotEquals(score(ranked(query, 13, "w11")), score(ranked(query, 13, document)));
    // No room for one: both are cut.
    Cli both = ranked(query, 10, document);
    assertEquals(0, both.exitCode(), both.err());
    assertTrue(both.err().contains("cut at 10 tokens"), both.err());
  }

  private Cli ranked(String query, int maxLength, String document) {
    return Cli.run("predict", model, "--max-length", maxLength, "--query", query, document);
  }

  private static String score(Cli run) {
    assertEquals(0, run.exitCode(), run.err());
    return run.out().split("\t")[1];
  }

  private void refused(String data, String name, String... words) throws IOException {
    Path file = file(name, data);
    for (Cli run :
        List.of(
            Cli.run("train", model, "--data", file, "--method", "full", "-o", folder.resolve("no")),
            Cli.run("eval", model, "--data", file))) {
      String last = run.err().lines().reduce((first, second) -> second).orElse("");
      assertEquals(1, run.exitCode(), run.err());
      for (String word : words) {
        assertTrue(last.contains(word), run.err());
      }
    }
  }

  /** Numbers for the model's inputs, beside which the query stands as a text. */
  @Test
  void pairsOfNumbersAreTheSameData() throws IOException {
    List<Query> queries = queries(7, 3);
    StringBuilder lines = new StringBuilder();
    for (Query query : queries) {
      for (int i = 0; i < query.documents.size(); i++) {
        List<Integer> ids = new ArrayList<>(List.of(0));
        ids.addAll(numbers(query.text));
        ids.add(2);
        ids.addAll(numbers(query.documents.get(i)));
        ids.add(2);
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("query", query.text);
        row.put("input_ids", ids);
        row.put("label", query.labels.get(i));
        lines.append(JSON.writeValueAsString(row)).append('\n');
      }
    }
    Path asNumbers = file("numbers.jsonl", lines.toString());
    Path asTexts = lists("texts.jsonl", queries);
    for (Path data : List.of(asNumbers, asTexts)) {
      train(data, data.getFileName() + "-run", "--loss", "listwise-softmax", "--batch-size", 3);
    }
    assertArrayEquals(
        Runs.learned(folder.resolve("texts.jsonl-run")),
        Runs.learned(folder.resolve("numbers.jsonl-run")));
    assertEquals(
        Cli.json("eval", model, "--data", asTexts), Cli.json("eval", model, "--data", asNumbers));
    refused(
        "{\"query\":{\"input_ids\":[0,5,2]},\"document\":{\"input_ids\":[0,6,2]},\"label\":1}\n",
        "apart.jsonl",
        "apart.jsonl:1",
        "a text that names the query");
  }

  private static List<Integer> numbers(String text) {
    return Arrays.stream(text.split(" ")).map(w -> 4 + Integer.parseInt(w.substring(1))).toList();
  }

  /** What {@code quickstart} comes with is read, and each query of it has something to rank. */
  @ParameterizedTest
  @ValueSource(strings = {"train.tsv", "eval.tsv"})
  void theDataOfQuickstartAreRead(String name) throws IOException {
    Path data = folder.resolve(name);
    try (InputStream in = LoraGraph.class.getResourceAsStream("quickstart/rerank/" + name)) {
      Files.copy(in, data);
    }
    JsonNode measured = Cli.json("eval", model, "--data", data);
    assertTrue(measured.get("queries").asInt() >= 40, measured::toString);
    assertEquals(0, measured.get("queriesWithoutRelevant").asInt(), measured::toString);
    assertTrue(
        measured.get("examples").asInt() >= 2 * measured.get("queries").asInt(),
        measured::toString);
  }

  @Test
  void badDataIsOneLineEach() throws IOException {
    refused("query\tlabel\nw1\t1\n", "one.tsv", "one.tsv:2", "two texts are needed");
    refused("query\tdocument\tlabel\nw1\tw2\t3\n", "three.tsv", "three.tsv:2", "from 0 to 1");
    refused("query\tdocument\tlabel\nw1\tw2\tyes\n", "yes.tsv", "yes.tsv:2");
    refused("query\tdocument\nw1\tw2\n", "none.tsv", "none.tsv:2", "how relevant it is");
    refused("{\"query\":\"w1\",\"documents\":[],\"labels\":[]}\n", "empty.jsonl", "empty.jsonl:1");
    refused(
        "{\"query\":\"w1\",\"documents\":[\"w2\"]}\n", "bare.jsonl", "bare.jsonl:1", "'labels'");
    refused(
        "{\"query\":\"w1\",\"documents\":[\"w2\",\"w3\"],\"labels\":[1]}\n",
        "few.jsonl",
        "few.jsonl:1",
        "1 labels for 2 documents");
    Path none = file("zero.tsv", "query\tdocument\tlabel\nw1\tw2\t0\nw1\tw3\t0\n");
    Cli zero =
        Cli.run("train", model, "--data", none, "--method", "full", "-o", folder.resolve("no"));
    assertEquals(1, zero.exitCode());
    assertTrue(zero.err().contains("no document of the data is relevant"), zero.err());
    Cli measured = Cli.run("eval", model, "--data", none);
    assertEquals(0, measured.exitCode(), measured.err());
    assertTrue(measured.out().contains("ndcg@10 not defined"), measured.out());
    assertTrue(measured.out().contains("1 of 1 queries have no relevant"), measured.out());
    Cli top = Cli.run("eval", model, "--data", none, "--top", 5);
    assertEquals(2, top.exitCode());
    assertTrue(top.err().contains("--top counts documents of a search"), top.err());
  }

  @Test
  void whatIsOddIsSaid() throws IOException {
    Path data =
        file(
            "odd.tsv",
            "query\tdocument\tlabel\nw1\tw2\t1\nw1\tw3\t0\nw1\tw2\t0\nw4\tw5\t0\nw1\tw3\t0\n");
    Cli run =
        Cli.run(
            "train",
            model,
            "--data",
            data,
            "--method",
            "full",
            "--loss",
            "listwise-softmax",
            "-o",
            folder.resolve("run"));
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(
        run.err()
            .contains(
                "2 pairs of a query and a document were there before, 1 of them with another"
                    + " label"),
        run.err());
    assertTrue(run.err().contains("1 of 2 queries have no relevant document"), run.err());
    assertTrue(run.err().contains("a batch has 2 queries with all their candidates"), run.err());
  }

  @Test
  void otherModelsAreNoRerankers() throws IOException {
    Path two = folder.resolve("two");
    Cli.json("add-head", folder.resolve("encoder"), "--labels", "a,b", "-o", two);
    Path data = pairs("pairs.tsv", queries(4, 1));
    Cli train =
        Cli.run(
            "train",
            two,
            "--data",
            data,
            "--task",
            "rerank",
            "--method",
            "full",
            "-o",
            folder.resolve("run"));
    assertEquals(1, train.exitCode());
    assertTrue(train.err().contains("add-head --task rerank"), train.err());
    Cli predict = Cli.run("predict", two, "--query", "w1", "w2");
    assertEquals(1, predict.exitCode());
    assertTrue(predict.err().contains("only one for rerank ranks documents"), predict.err());
    Path texts = file("texts.tsv", "text\tlabel\nw1\ta\nw2\tb\n");
    Cli loss =
        Cli.run(
            "train",
            two,
            "--data",
            texts,
            "--loss",
            "list-net",
            "--method",
            "full",
            "-o",
            folder.resolve("run"));
    assertEquals(1, loss.exitCode());
    assertTrue(loss.err().contains("no loss 'list-net'"), loss.err());
    try (Predictor predictor = Model.open(model).predictor()) {
      assertEquals(Task.RERANK, predictor.task());
      assertThrows(LoraGraphException.class, () -> predictor.rank("w1", List.of()));
    }
  }

  /** A run of a search, put into another order: by hand from the model's own scores. */
  @Test
  void whatASearchFoundIsPutIntoAnotherOrder() throws IOException {
    Random random = new Random(11);
    List<String> documents = new ArrayList<>();
    StringBuilder corpus = new StringBuilder("id\ttext\n");
    for (int d = 0; d < 12; d++) {
      documents.add(words(random, 1 + random.nextInt(9), d % 2 * BAD, d % 2 == 1));
      corpus.append("d%d\t%s\n".formatted(d, documents.get(d)));
    }
    Path texts = file("corpus.tsv", corpus.toString());
    Path queries = file("queries.tsv", "id\ttext\nq1\tw1 w2\nq2\tw3\nq3\tw4 w5 w6\n");
    // To q2 two are relevant, of which one was not found; q3 found nothing.
    Path qrels =
        file(
            "qrels.tsv",
            "query-id\tcorpus-id\tscore\nq1\td3\t1\nq2\td5\t2\nq2\td11\t1\nq3\td1\t1\n");
    StringBuilder trec = new StringBuilder();
    for (int d = 0; d < 8; d++) {
      trec.append("q1 Q0 d%d %d %s bm25\n".formatted(d, d + 1, 9.5 - d));
      trec.append("q2 Q0 d%d %d %s bm25\n".formatted(7 - d, d + 1, 7.5 - d));
    }
    Path found = file("found.trec", trec.toString());
    Object[] words = {
      "eval",
      model,
      "--corpus",
      texts,
      "--queries",
      queries,
      "--qrels",
      qrels,
      "--candidates",
      found,
      "--top",
      5
    };
    JsonNode measured = Cli.json(words);
    JsonNode first = measured.get("firstStage");
    // d3 is the fourth of q1; d5 the third of q2.
    assertEquals((1 / 4.0 + 1 / 3.0 + 0) / 3, first.get("mrr@10").asDouble(), 1e-9);
    double best = 2 + 1 / (Math.log(3) / Math.log(2));
    double ndcg = (Math.log(2) / Math.log(5) + 2 / 2.0 / best) / 3;
    assertEquals(ndcg, first.get("ndcg@10").asDouble(), 1e-9);
    int rank1 = rank("w1 w2", documents.subList(0, 5), 3);
    int rank2 = rank("w3", List.of(7, 6, 5, 4, 3).stream().map(documents::get).toList(), 2);
    assertEquals((1.0 / rank1 + 1.0 / rank2) / 3, measured.get("mrr@10").asDouble(), 1e-9);
    assertEquals(5, measured.get("top").asInt());
    assertEquals(10, measured.get("pairs").asInt());
    // Beyond the first documents nothing moves.
    words[words.length - 1] = 1;
    JsonNode one = Cli.json(words);
    words[words.length - 1] = 5;
    assertEquals(first, one.get("firstStage"));
    assertEquals(first.get("ndcg@10"), one.get("ndcg@10"));
    Cli lines = Cli.run(words);
    assertTrue(lines.out().contains("first stage"), lines.out());
    assertTrue(lines.err().contains("nothing for 1 of 3 queries"), lines.err());
    // The same as a table.
    Path table =
        file(
            "found.tsv",
            trec.toString().replaceAll("(?m)^(q\\d) Q0 (d\\d) \\d (\\S+) bm25$", "$1\t$2\t$3"));
    words[9] = table;
    assertEquals(measured, Cli.json(words));
    words[9] = file("stranger.trec", "q1 Q0 d99 1 0.5 x\n");
    Cli stranger = Cli.run(words);
    assertEquals(1, stranger.exitCode());
    assertTrue(stranger.err().contains("stranger.trec:1 has document 'd99'"), stranger.err());
    words[9] = file("twice.trec", "q1 Q0 d1 1 0.5 x\nq1 Q0 d1 2 0.4 x\n");
    Cli twice = Cli.run(words);
    assertTrue(twice.err().contains("twice.trec:2 has document 'd1'"), twice.err());
    words[9] = file("other.trec", "z Q0 d1 1 0.5 x\n");
    assertTrue(Cli.run(words).err().contains("are they of one set?"));
  }

  /**
   * What a search by vectors found is written as another search's would be, and counts the same.
   */
  @Test
  void whatASearchByVectorsFoundIsWritten() throws IOException {
    Random random = new Random(12);
    StringBuilder corpus = new StringBuilder("id\ttext\n");
    for (int d = 0; d < 9; d++) {
      corpus.append("d%d\t%s\n".formatted(d, words(random, 2 + random.nextInt(7), 0, false)));
    }
    Path texts = file("corpus.tsv", corpus.toString());
    Path queries = file("queries.tsv", "id\ttext\nq1\tw1 w2\nq2\tw3\n");
    Path qrels = file("qrels.tsv", "query-id\tcorpus-id\tscore\nq1\td3\t1\nq2\td5\t1\n");
    Path found = folder.resolve("found.tsv");
    List<Object> search = List.of("--corpus", texts, "--queries", queries, "--qrels", qrels);
    List<Object> words = new ArrayList<>(List.of("eval", folder.resolve("encoder")));
    words.addAll(search);
    words.addAll(List.of("--task", "embedding", "--pooling", "mean", "--run", found));
    JsonNode measured = Cli.json(words.toArray());
    assertEquals(18, Files.readAllLines(found).size());
    assertTrue(Files.readAllLines(found).get(0).matches("q1\tQ0\td\\d\t1\t\\S+\tlora-graph"));
    assertEquals(1, Cli.run(words.toArray()).exitCode(), "it exists");
    words.clear();
    words.addAll(List.of("eval", model, "--candidates", found));
    words.addAll(search);
    JsonNode first = Cli.json(words.toArray()).get("firstStage");
    for (String figure : List.of("ndcg@10", "mrr@10", "map", "recall@5")) {
      assertEquals(measured.get(figure).asDouble(), first.get(figure).asDouble(), 1e-9, figure);
    }
    Cli without = Cli.run("eval", model, "--data", qrels, "--candidates", found);
    assertEquals(2, without.exitCode());
    Cli embedding =
        Cli.run("eval", model, "--corpus", texts, "--queries", queries, "--qrels", qrels);
    assertNotEquals(0, embedding.exitCode(), embedding.out());
  }

  /** The rank of a document in the order of the model. */
  private int rank(String query, List<String> documents, int index) {
    try (Predictor predictor = Model.open(model).predictor()) {
      List<RankedDocument> ranking = predictor.rank(query, documents);
      return 1 + ranking.stream().map(RankedDocument::index).toList().indexOf(index);
    }
  }
}
