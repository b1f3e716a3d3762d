package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.models.ReferenceArchitecture;
import io.github.loragraph.onnx.OnnxFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code embed}, {@code mine-negatives} and {@code eval --task embedding}, as a user runs them. */
class EmbeddingCommandsTest {
  private static final int HIDDEN = 32;

  @TempDir Path folder;
  private Path model;

  @BeforeEach
  void makeEncoder() throws IOException {
    model = folder.resolve("model");
    DataCommandsTest.makeModel(model);
    Path file = model.resolve("model.onnx");
    Files.delete(file);
    OnnxFile.write(
        Encoders.of(new ReferenceArchitecture(HIDDEN, 2, 2, 64, 40, 40, 2).model(0), HIDDEN),
        file,
        false);
  }

  private Path file(String name, String... lines) throws IOException {
    return Files.writeString(folder.resolve(name), String.join("\n", lines) + "\n");
  }

  private static float[] vector(JsonNode node) {
    float[] vector = new float[node.size()];
    for (int i = 0; i < vector.length; i++) {
      vector[i] = node.get(i).floatValue();
    }
    return vector;
  }

  @Test
  void vectorsComeInTheOrderOfTheRowsInBothFormats() throws IOException {
    Path data = file("texts.tsv", "id\ttext", "a\tgood", "b\tbad bad bad good", "c\tfine film");
    Path lines = folder.resolve("vectors.jsonl");
    Path numpy = folder.resolve("vectors.npy");
    for (Path target : List.of(lines, numpy)) {
      Cli run = Cli.run("embed", model, "--pooling", "mean", "--data", data, "-o", target);
      assertEquals(0, run.exitCode(), run.err());
      assertTrue(run.out().contains("3 texts embedded, 32 numbers each"), run.out());
    }
    List<String> rows = Files.readAllLines(lines);
    assertEquals(3, rows.size());
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(numpy)).order(ByteOrder.LITTLE_ENDIAN);
    assertEquals(128 + 3 * HIDDEN * 4, bytes.capacity());
    assertEquals("NUMPY", new String(bytes.array(), 1, 5, StandardCharsets.US_ASCII));
    assertEquals(118, bytes.getShort(8));
    String header = new String(bytes.array(), 10, 118, StandardCharsets.US_ASCII);
    assertTrue(
        header.startsWith("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 32), }"), header);
    assertTrue(header.endsWith(" \n"));
    try (Embedder embedder =
        Model.open(model)
            .embedder(
                InferenceArguments.builder()
                    .embedding(
                        EmbeddingArguments.AS_FOUND.withPooling(EmbeddingArguments.Pooling.MEAN))
                    .build())) {
      assertEquals(HIDDEN, embedder.dimension());
      for (int i = 0; i < 3; i++) {
        JsonNode row = new ObjectMapper().readTree(rows.get(i));
        assertEquals("abc".substring(i, i + 1), row.get("id").asText());
        float[] vector = vector(row.get("embedding"));
        float[] own = new float[HIDDEN];
        bytes.position(128 + i * HIDDEN * 4);
        bytes.asFloatBuffer().get(own);
        assertArrayEquals(vector, own);
        assertArrayEquals(embedder.embed(row.get("text").asText()), own, 1e-5f);
      }
    }
  }

  @Test
  void whatWasCutIsSaidOnceAndOfTheFileThatItIsIn() throws IOException {
    String text = "good ".repeat(60);
    java.io.InputStream before = System.in;
    System.setIn(
        new java.io.ByteArrayInputStream(
            ("good\n".repeat(700) + (text + "\n").repeat(1400)).getBytes(StandardCharsets.UTF_8)));
    try {
      Cli run = Cli.run("embed", model, "--pooling", "mean", "--max-length", 8);
      assertEquals(0, run.exitCode(), run.err());
      assertEquals(2100, run.out().lines().count());
      assertEquals(
          List.of("standard input: 1,400 of 2,100 texts cut at 8 tokens"),
          run.err().lines().filter(line -> line.contains("cut at")).toList());
    } finally {
      System.setIn(before);
    }
    Path corpus = file("corpus.tsv", "id\ttext", "a\tgood", "b\t" + text, "c\t" + text);
    Path queries = file("queries.tsv", "id\ttext", "q\tbad", "r\t" + text);
    Path qrels = file("qrels.tsv", "query-id\tcorpus-id\tscore", "q\ta\t1", "r\tb\t1");
    Cli eval =
        Cli.run(
            "eval",
            model,
            "--pooling",
            "mean",
            "--max-length",
            8,
            "--corpus",
            corpus,
            "--queries",
            queries,
            "--qrels",
            qrels);
    assertEquals(0, eval.exitCode(), eval.err());
    assertTrue(eval.err().contains(corpus + ": 2 of 3 texts cut at 8 tokens"), eval.err());
    assertTrue(eval.err().contains(queries + ": 1 of 2 texts cut at 8 tokens"), eval.err());
    Path pairs = file("pairs.tsv", "query\tpositive", "good\tbad", "film\t" + text);
    Cli mined =
        Cli.run(
            "mine-negatives",
            model,
            "--pooling",
            "mean",
            "--max-length",
            8,
            "--data",
            pairs,
            "--corpus",
            corpus,
            "--num-negatives",
            1,
            "-o",
            folder.resolve("mined.tsv"));
    assertEquals(0, mined.exitCode(), mined.err());
    assertTrue(mined.err().contains(pairs + ": 1 of 4 texts cut at 8 tokens"), mined.err());
  }

  @Test
  void documentsAreEmbeddedWithTheirTitlesAsASearchReadsThem() throws IOException {
    Path titled = file("titled.tsv", "id\ttitle\ttext", "a\tgood\tfilm", "b\t\tbad film");
    Path whole = file("whole.tsv", "id\ttext", "a\tgood film", "b\tbad film");
    Path documents = folder.resolve("documents.npy");
    Path same = folder.resolve("same.npy");
    Path texts = folder.resolve("texts.npy");
    Cli run =
        Cli.run(
            "embed",
            model,
            "--pooling",
            "mean",
            "--data",
            titled,
            "--prompt-name",
            "document",
            "-o",
            documents);
    assertEquals(0, run.exitCode(), run.err());
    Cli.run("embed", model, "--pooling", "mean", "--data", whole, "-o", same);
    assertArrayEquals(Files.readAllBytes(same), Files.readAllBytes(documents));
    Cli plain = Cli.run("embed", model, "--pooling", "mean", "--data", titled, "-o", texts);
    assertTrue(Files.mismatch(texts, same) >= 0);
    assertEquals(
        1, plain.err().lines().filter(line -> line.contains("titles are left out")).count());
  }

  @Test
  void aSearchWritesTheRankingThatItMeasures() throws IOException {
    String[] lines = new String[13];
    lines[0] = "id\ttext";
    for (int i = 0; i < 12; i++) {
      lines[i + 1] = "d" + (i < 10 ? "0" : "") + i + "\tgood film";
    }
    Path corpus = file("ties.tsv", lines);
    Path queries = file("queries.tsv", "id\ttext", "q\tgood");
    Path qrels = file("qrels.tsv", "query-id\tcorpus-id\tscore", "q\td10\t1");
    Path found = folder.resolve("found.run");
    JsonNode figures =
        Cli.json(
            "eval",
            model,
            "--pooling",
            "mean",
            "--corpus",
            corpus,
            "--queries",
            queries,
            "--qrels",
            qrels,
            "--run",
            found,
            "--top",
            3);
    assertEquals(0.5, figures.get("mrr@10").asDouble());
    List<String> ranked =
        Files.readAllLines(found).stream().map(line -> line.split("\t")[2]).toList();
    assertEquals(List.of("d11", "d10", "d09"), ranked);
  }

  @Test
  void scoresThatAreNotLookedAtAreSaid() throws IOException {
    Path pairs = file("labelled.tsv", "anchor\tpassage\tlabel", "good\tfilm\t1", "bad\tthe\t0");
    Cli mined =
        Cli.run(
            "mine-negatives",
            model,
            "--pooling",
            "mean",
            "--data",
            pairs,
            "-o",
            folder.resolve("mined.tsv"));
    assertTrue(
        mined
            .err()
            .contains("each pair counts as right, 1 of 2 with a score of 0 or less among them"),
        mined.err());
    Cli trained =
        Cli.run(
            "train",
            model,
            "--task",
            "embedding",
            "--pooling",
            "mean",
            "--method",
            "full",
            "--data",
            pairs,
            "--batch-size",
            1,
            "--steps",
            1,
            "--engine",
            "graph",
            "-o",
            folder.resolve("run"));
    assertEquals(0, trained.exitCode(), trained.err());
    assertTrue(
        trained.err().contains("the loss multiple-negatives does not look at scores"),
        trained.err());
    assertTrue(trained.err().contains("nothing is learned: a batch has one pair"), trained.err());
    Cli refused =
        Cli.run(
            "mine-negatives",
            model,
            "--pooling",
            "mean",
            "--data",
            pairs,
            "--relative-margin",
            "NaN",
            "-o",
            folder.resolve("other.tsv"));
    assertEquals(1, refused.exitCode());
    assertTrue(
        refused.err().contains("a relative margin of NaN is no number: give one"), refused.err());
  }

  @Test
  void howTheAuthorsCompareIsNotPassedOverInSilence() throws IOException {
    Path prompts = model.resolve("config_sentence_transformers.json");
    Files.writeString(prompts, "{\"similarity_fn_name\": \"dot\"}");
    String line = "says that embeddings are compared by dot ('similarity_fn_name')";
    Cli dot = Cli.run("embed", model, "--pooling", "mean", "good");
    assertTrue(dot.err().contains(line), dot.err());
    Cli same = Cli.run("embed", model, "--pooling", "mean", "--normalize", "good");
    assertFalse(same.err().contains(line), same.err());
    Files.writeString(prompts, "{\"similarity_fn_name\": \"manhattan\"}");
    Cli manhattan = Cli.run("embed", model, "--pooling", "mean", "--normalize", "good");
    assertTrue(manhattan.err().contains("compared by manhattan"), manhattan.err());
  }

  @Test
  void poolingIsNeverGuessed() throws IOException {
    Cli refused = Cli.run("embed", model, "good");
    assertEquals(1, refused.exitCode());
    assertTrue(refused.err().contains("nothing says how they become one"), refused.err());
    Files.createDirectory(model.resolve("1_Pooling"));
    Files.writeString(model.resolve("1_Pooling/config.json"), "{\"pooling_mode\": \"cls\"}");
    Cli found = Cli.run("embed", model, "good");
    assertEquals(0, found.exitCode(), found.err());
    assertTrue(found.err().contains("pooling cls (as in 1_Pooling/config.json)"), found.err());
    Cli named = Cli.run("embed", model, "--pooling", "cls", "good");
    assertEquals(found.out(), named.out());
  }

  @Test
  void aPrefixIsPutBeforeEachText() {
    String together = Cli.run("embed", model, "--pooling", "mean", "good film").out();
    String apart = Cli.run("embed", model, "--pooling", "mean", "--prefix", "good ", "film").out();
    assertEquals(embedding(together), embedding(apart));
    assertFalse(
        embedding(apart)
            .equals(embedding(Cli.run("embed", model, "--pooling", "mean", "film").out())));
  }

  private static String embedding(String line) {
    return line.substring(line.indexOf("\"embedding\""));
  }

  @Test
  void aSearchIsMeasured() throws IOException {
    Path corpus = file("corpus.tsv", "id\ttext", "1\tgood", "2\tbad film", "3\tfine");
    Path queries = file("queries.tsv", "id\ttext", "q1\tbad film", "q2\tgood");
    Path qrels = file("qrels.tsv", "query-id\tcorpus-id\tscore", "q1\t2\t1", "q2\t1\t2");
    JsonNode figures =
        Cli.json(
            "eval",
            model,
            "--pooling",
            "mean",
            "--corpus",
            corpus,
            "--queries",
            queries,
            "--qrels",
            qrels);
    assertEquals(1, figures.get("ndcg@10").asDouble());
    assertEquals(1, figures.get("map").asDouble());
    assertEquals(1, figures.get("recall@1").asDouble());
    assertEquals(2, figures.get("examples").asInt());
    Cli refused = Cli.run("eval", model, "--pooling", "mean", "--corpus", corpus);
    assertEquals(2, refused.exitCode());
    Path scored =
        file(
            "sts.tsv",
            "sentence1\tsentence2\tscore",
            "good\tgood\t1",
            "bad\tgood\t0.2",
            "fine\tbad\t0");
    JsonNode pairs =
        Cli.json("eval", model, "--task", "embedding", "--pooling", "mean", "--data", scored);
    assertTrue(pairs.has("spearman") && pairs.has("pearson"), pairs.toString());
  }

  @Test
  void negativesAreNoPositivesOfTheirAnchor() throws IOException {
    Path pairs =
        file("pairs.tsv", "query\tpassage", "good\tgood film", "good\tfine film", "bad\tbad film");
    Path corpus = file("corpus.tsv", "id\ttext", "1\tgood film", "2\tgood good", "3\tgood");
    Path target = folder.resolve("triplets.jsonl");
    JsonNode result =
        Cli.json(
            "mine-negatives",
            model,
            "--pooling",
            "mean",
            "--data",
            pairs,
            "--corpus",
            corpus,
            "--num-negatives",
            "2",
            "-o",
            target);
    // Three positives and what of the corpus is none of them.
    assertEquals(5, result.get("searched").asInt());
    List<String> rows = Files.readAllLines(target);
    assertEquals(result.get("rows").asInt(), rows.size());
    assertEquals(result.get("negatives").asInt(), rows.size());
    for (String row : rows) {
      JsonNode triplet = new ObjectMapper().readTree(row);
      String negative = triplet.get("negative").asText();
      assertFalse(negative.equals(triplet.get("anchor").asText()), row);
      assertFalse(
          triplet.get("anchor").asText().equals("good") && negative.matches("(good|fine) film"),
          row);
    }
    JsonNode refusing =
        Cli.json(
            "mine-negatives",
            model,
            "--pooling",
            "mean",
            "--data",
            pairs,
            "--corpus",
            corpus,
            "--num-negatives",
            "2",
            "--min-score",
            "-1",
            "--output-format",
            "labeled-pair",
            "-o",
            target,
            "--force");
    assertEquals(rows.size() + 3, refusing.get("rows").asInt());
    JsonNode measured =
        Cli.json(
            "eval",
            model,
            "--task",
            "embedding",
            "--pooling",
            "mean",
            "--data",
            file("groups.tsv", "anchor\tpositive\tnegative", "good\tgood\tbad"));
    assertEquals(1, measured.get("tripletAccuracy").asDouble());
  }

  private List<JsonNode> mined(Object... arguments) throws IOException {
    Path target = folder.resolve("mined.jsonl");
    List<Object> all =
        new ArrayList<>(List.of("mine-negatives", model, "--pooling", "mean", "--force"));
    all.addAll(List.of("-o", target));
    all.addAll(List.of(arguments));
    Cli run = Cli.run(all.toArray());
    assertEquals(0, run.exitCode(), run.err());
    List<JsonNode> rows = new ArrayList<>();
    for (String line : Files.readAllLines(target)) {
      rows.add(new ObjectMapper().readTree(line));
    }
    return rows;
  }

  @Test
  void anAnchorAmongTheTextsTakesNoNegativesPlace() throws IOException {
    Path paraphrases =
        file("both.tsv", "a\tb", "good\tgood film", "good film\tgood", "bad\ta bad", "a bad\tbad");
    Object[] columns = {"--text-column", "a", "--text-pair-column", "b"};
    List<JsonNode> rows =
        mined(
            "--data",
            paraphrases,
            columns[0],
            columns[1],
            columns[2],
            columns[3],
            "--num-negatives",
            "1");
    assertEquals(4, rows.size());
    Path pairs = file("pairs.tsv", "query\tpassage", "good\tgood film", "bad\tbad film");
    Path corpus =
        file("corpus.tsv", "id\ttext", "1\tgood", "2\tbad", "3\tthe", "4\tthe", "5\ta", "6\tthe");
    for (int passedOver = 0; passedOver < 4; passedOver++) {
      List<JsonNode> one =
          mined(
              "--data",
              pairs,
              "--corpus",
              corpus,
              "--num-negatives",
              "1",
              "--range-min",
              passedOver);
      assertEquals(2, one.size(), one.toString());
    }
    // Two positives, one of them its own, and the other anchor, 'the' and 'a': four for each.
    List<JsonNode> all = mined("--data", pairs, "--corpus", corpus, "--num-negatives", "9");
    assertEquals(8, all.size(), all.toString());
    assertEquals(8, Set.copyOf(all).size(), all.toString());
  }

  @Test
  void ranksCountWhatIsLeft() throws IOException {
    Path pairs = file("pairs.tsv", "query\tpassage", "good\tgood film");
    Path corpus = file("corpus.tsv", "id\ttext", "1\tgood a", "2\tbad", "3\tthe film", "4\tthe");
    Object[] data = {"--data", pairs, "--corpus", corpus, "--num-negatives", "4"};
    List<JsonNode> all = mined(data);
    assertEquals(4, all.size());
    double nearest =
        Cli.json(
                "mine-negatives",
                model,
                "--pooling",
                "mean",
                "--data",
                pairs,
                "--corpus",
                corpus,
                "--num-negatives",
                "1",
                "--force",
                "-o",
                folder.resolve("mined.jsonl"))
            .get("negativeScore")
            .asDouble();
    List<JsonNode> second =
        mined(
            "--data",
            pairs,
            "--corpus",
            corpus,
            "--num-negatives",
            "4",
            "--max-score",
            nearest - 1e-5,
            "--range-max",
            "1");
    assertEquals(all.subList(1, 2), second);
    assertEquals(
        all.subList(1, 4),
        mined(
            "--data",
            pairs,
            "--corpus",
            corpus,
            "--num-negatives",
            "4",
            "--max-score",
            nearest - 1e-5,
            "--range-max",
            Integer.MAX_VALUE));
  }

  @Test
  void aPositiveWithATitleIsNoNegative() throws IOException {
    Path pairs = file("pairs.tsv", "query\tpassage", "good\tgood film", "bad\tbad film");
    Path corpus =
        file(
            "corpus.tsv",
            "id\ttitle\ttext",
            "1\tfine\tgood film",
            "2\tfine\tthe film",
            "3\tfine\tgood",
            "4\tgood\tfilm");
    Path target = folder.resolve("titled.jsonl");
    Cli run =
        Cli.run(
            "mine-negatives",
            model,
            "--pooling",
            "mean",
            "--data",
            pairs,
            "--corpus",
            corpus,
            "--num-negatives",
            "9",
            "-o",
            target);
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(
        run.err().contains(corpus + ": 1 document is a positive but for the title"), run.err());
    String negatives = Files.readString(target);
    assertFalse(negatives.contains("fine good film"), negatives);
    assertTrue(negatives.contains("fine the film"), negatives);
    assertFalse(
        negatives.contains(
            "{\"anchor\":\"good\",\"positive\":\"good film\",\"negative\":\"fine good\"}"),
        negatives);
    assertTrue(
        negatives.contains(
            "{\"anchor\":\"bad\",\"positive\":\"bad film\",\"negative\":\"fine good\"}"),
        negatives);
  }

  @Test
  void whatIsWrittenOfEqualScoresIsWhatWasMeasured() throws IOException {
    Path corpus = file("corpus.tsv", "id\ttext", "1\tgood", "2\tgood", "3\tbad", "0\tgood");
    Path queries = file("queries.tsv", "id\ttext", "q1\tgood", "q2\tgood", "q3\tgood");
    // Each document is judged, so that all vectors are computed side by side.
    Path qrels =
        file(
            "qrels.tsv",
            "query-id\tcorpus-id\tscore",
            "q1\t2\t1",
            "q2\t1\t1",
            "q3\t0\t1",
            "q3\t3\t1");
    Path found = folder.resolve("found.tsv");
    for (int top = 1; top <= 4; top++) {
      JsonNode figures =
          Cli.json(
              "eval",
              model,
              "--task",
              "embedding",
              "--pooling",
              "mean",
              "--corpus",
              corpus,
              "--queries",
              queries,
              "--qrels",
              qrels,
              "--top",
              top,
              "--run",
              found,
              "--force");
      assertEquals(1.0 / 3, figures.get("recall@1").asDouble(), 1e-9);
      String expected = "";
      for (String query : List.of("q1", "q2", "q3")) {
        for (int rank = 1; rank <= top; rank++) {
          expected += query + " " + List.of("2", "1", "0", "3").get(rank - 1) + " " + rank + "\n";
        }
      }
      String written =
          Files.readAllLines(found).stream()
              .map(line -> line.split("\t", -1))
              .map(cells -> cells[0] + " " + cells[2] + " " + cells[3] + "\n")
              .collect(Collectors.joining());
      assertEquals(expected, written);
    }
  }
}
