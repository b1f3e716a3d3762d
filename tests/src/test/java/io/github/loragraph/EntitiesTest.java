package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.loragraph.error.LoraGraphException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Entities from words: from a CoNLL file to answers with their places in a text. */
class EntitiesTest {
  private static final List<EntityCorpus.Tagged> TRAIN = EntityCorpus.sentences(120, 1);
  private static final List<EntityCorpus.Tagged> EVAL = EntityCorpus.sentences(60, 2);

  @TempDir Path folder;
  private Path encoder;
  private Path train;
  private Path eval;

  TrainingArguments.Engine engine() {
    return TrainingArguments.Engine.GRAPH;
  }

  private String engineName() {
    return engine().name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  @BeforeEach
  void write() throws IOException {
    encoder = EntityCorpus.encoder(folder.resolve("encoder"));
    train = EntityCorpus.conll(folder.resolve("train.conll"), TRAIN, true);
    eval = EntityCorpus.conll(folder.resolve("eval.conll"), EVAL, false);
  }

  private Path tagger(Path from) {
    Path tagger = folder.resolve("tagger");
    JsonNode head =
        Cli.json(
            "add-head",
            from,
            "--task",
            "token-classification",
            "--labels-from",
            train,
            "-o",
            tagger,
            "--force");
    assertEquals("[\"O\",\"B-LOC\",\"I-LOC\",\"B-PER\",\"I-PER\"]", head.get("labels").toString());
    return tagger;
  }

  /** Counts entities of BIO by itself: sets of sentence, first word, last word and type. */
  private static Set<String> entities(int sentence, List<String> tags) {
    Set<String> found = new HashSet<>();
    for (int word = 0; word < tags.size(); word++) {
      String tag = tags.get(word);
      String before = word == 0 ? "O" : tags.get(word - 1);
      boolean begins =
          tag.startsWith("B-")
              || tag.startsWith("I-")
                  && (before.equals("O") || !before.substring(2).equals(tag.substring(2)));
      if (begins) {
        int end = word + 1;
        while (end < tags.size() && tags.get(end).equals("I-" + tag.substring(2))) {
          end++;
        }
        found.add("%d %d %d %s".formatted(sentence, word, end, tag.substring(2)));
      }
    }
    return found;
  }

  private static void assertFigures(JsonNode measured, JsonNode predictions) {
    Map<String, int[]> counts = new TreeMap<>();
    for (int s = 0; s < EVAL.size(); s++) {
      List<String> answers = new ArrayList<>();
      predictions.get(s).get("labels").forEach(label -> answers.add(label.asText()));
      Set<String> actual = entities(s, EVAL.get(s).tags());
      Set<String> claimed = entities(s, answers);
      for (String all : List.of("all", "PER", "LOC")) {
        int[] count = counts.computeIfAbsent(all, type -> new int[3]);
        for (String entity : claimed) {
          if (all.equals("all") || entity.endsWith(all)) {
            count[0] += actual.contains(entity) ? 1 : 0;
            count[1]++;
          }
        }
        count[2] += (int) actual.stream().filter(e -> all.equals("all") || e.endsWith(all)).count();
      }
    }
    assertFigures(measured, counts.remove("all"));
    int types = 0;
    for (JsonNode entry : measured.get("entities")) {
      int[] count = counts.get(entry.get("type").asText());
      assertFigures(entry, count);
      assertEquals(count[2], entry.get("support").asInt());
      types++;
    }
    assertEquals(2, types);
  }

  private static void assertFigures(JsonNode figures, int[] count) {
    double precision = (double) count[0] / count[1];
    double recall = (double) count[0] / count[2];
    assertEquals(precision, figures.get("precision").asDouble(), 1e-12);
    assertEquals(recall, figures.get("recall").asDouble(), 1e-12);
    assertEquals(
        2 * precision * recall / (precision + recall), figures.get("f1").asDouble(), 1e-12);
  }

  /** Sentences are up to 30 tokens long, and windows 16: much is in two of them. */
  @Test
  void aTaggerLearnsFromAConllFile() throws IOException {
    Path tagger = tagger(encoder);
    Cli.json("inject", tagger, "--match", "query|value|dense", "--rank", 4);
    Path run = folder.resolve("run");
    Cli trained =
        Cli.run(
            "train",
            tagger.resolve("model.lora.onnx"),
            "--data",
            train,
            "--eval",
            eval,
            "--max-length",
            16,
            "--epochs",
            12,
            "--accumulate",
            2,
            "--batch-size",
            4,
            "--lr",
            "1e-2",
            "--engine",
            engineName(),
            "--threads",
            1,
            "-o",
            run);
    assertEquals(0, trained.exitCode(), trained.err());
    assertTrue(
        trained.err().contains(train + ": tags are IOB1, 120 sentences with LOC, PER"),
        trained.err());
    assertTrue(
        trained.err().contains(eval + ": tags are BIO, 60 sentences with LOC, PER"), trained.err());
    assertTrue(trained.err().contains("are longer than 16 tokens and are read in"), trained.err());
    assertTrue(trained.out().contains(", f1 "), trained.out());

    JsonNode measured = Cli.json("eval", run, "--data", eval);
    assertTrue(measured.get("f1").asDouble() > 0.8, measured::toString);
    JsonNode predictions = Cli.json("predict", run, "--data", eval).get("predictions");
    assertFigures(measured, predictions);
    assertEquals(EVAL.get(3).words().size(), predictions.get(3).get("labels").size());

    // The same model in a folder of its own, and as a program asks it.
    Path merged = folder.resolve("merged");
    Cli.json("merge", run, "-o", merged);
    Model model = Model.open(merged);
    Dataset words = Dataset.of(EVAL.stream().map(s -> Example.ofWords(s.words(), s.tags())));
    Evaluation evaluation =
        model.evaluate(words, InferenceArguments.builder().maxLength(16).build());
    assertEquals(measured.get("f1").asDouble(), evaluation.score(), 1e-12);
    assertEquals("f1", evaluation.scoreName());
    assertEquals(measured.get("loss").asDouble(), evaluation.loss(), 1e-4);

    try (Predictor predictor = model.predictor()) {
      String text = "  x saw Bob Carla, and Paris 😀 with Rome.";
      Prediction answer = predictor.predict(text);
      assertTrue(answer.entities().size() > 1, answer::toString);
      for (Entity entity : answer.entities()) {
        int start = text.offsetByCodePoints(0, entity.start());
        int end = text.offsetByCodePoints(0, entity.end());
        assertEquals(entity.text(), text.substring(start, end));
        assertTrue(entity.score() > 0.4 && entity.score() <= 1, entity::toString);
      }
      assertEquals(11, answer.tokens().size());
      assertEquals("Carla", answer.tokens().get(3).token());
      assertTrue(predictor.predict("").entities().isEmpty());
    }
    JsonNode json = Cli.json("predict", merged, "saw Bob Carla .");
    JsonNode entity = json.get("predictions").get(0).get("entities").get(0);
    assertEquals("Bob Carla", entity.get("text").asText());
    assertEquals(4, entity.get("start").asInt());
    assertEquals(13, entity.get("end").asInt());
    assertEquals("PER", entity.get("type").asText());
    Cli lines = Cli.run("predict", merged, "saw Bob Carla .", "x");
    assertTrue(lines.out().matches("PER\t0\\.\\d{4}\t4\t13\tBob Carla\n\n\n"), lines.out());
    Path answers = folder.resolve("answers.jsonl");
    Cli.json("predict", merged, "--data", eval, "-o", answers);
    JsonNode first = new ObjectMapper().readTree(Files.readAllLines(answers).get(0));
    assertEquals(first.get("tokens").size(), first.get("predicted_labels").size());
    assertTrue(first.get("predicted_entities").isArray());
    assertTrue(Cli.run("eval", merged, "--data", eval, "--errors", "3").out().contains("entities"));
    assertMistakesStandInTheirSentences(merged);
  }

  private void assertMistakesStandInTheirSentences(Path model) throws IOException {
    List<EntityCorpus.Tagged> turned =
        EVAL.stream()
            .map(
                s ->
                    new EntityCorpus.Tagged(
                        s.words(), Collections.nCopies(s.words().size(), "B-LOC")))
            .toList();
    Path wrong = EntityCorpus.conll(folder.resolve("wrong.conll"), turned, false);
    JsonNode errors = Cli.json("eval", model, "--data", wrong, "--errors", 20).get("errors");
    assertEquals(20, errors.size());
    for (JsonNode error : errors) {
      String sentence =
          (error.path("before").asText() + " " + error.get("text").asText() + " ").stripLeading()
              + error.path("after").asText();
      assertTrue(
          EVAL.stream().anyMatch(s -> String.join(" ", s.words()).contains(sentence.strip())),
          error::toString);
      assertTrue(error.has("before") || error.get("token").asInt() == 0, error::toString);
    }
    String text = Cli.run("eval", model, "--data", wrong, "--errors", 1).out();
    assertTrue(text.contains("[" + errors.get(0).get("text").asText() + "]"), text);
  }

  /** A model that sees no context answers a word alike in each window, batch and company. */
  @ParameterizedTest
  @CsvSource({"60,", "16,", "16, 0", "9, 6", "5, 1"})
  void windowsDoNotChangeTheCount(int maxLength, Integer stride) throws IOException {
    Path tagger = tagger(EntityCorpus.contextless(folder.resolve("contextless")));
    JsonNode whole = Cli.json("eval", tagger, "--data", eval);
    List<Object> words =
        new ArrayList<>(List.of("eval", tagger, "--data", eval, "--max-length", maxLength));
    if (stride != null) {
      words.addAll(List.of("--stride", stride));
    }
    JsonNode cut = Cli.json(words.toArray());
    assertEquals(whole.get("loss").asDouble(), cut.get("loss").asDouble(), 1e-6);
    for (JsonNode figures : List.of(whole, cut)) {
      ((ObjectNode) figures).remove(List.of("loss", "maxLength"));
    }
    assertEquals(whole, cut);
    words.set(0, "predict");
    assertEquals(
        Cli.json("predict", tagger, "--data", eval).get("predictions").findValues("labels"),
        Cli.json(words.toArray()).get("predictions").findValues("labels"));
  }

  /** A run that was cancelled between two windows of a sentence goes on to the same bytes. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aStoppedRunGoesOn(boolean allSubwords) throws IOException {
    Model model =
        Model.open(tagger(encoder))
            .inject(LoraConfig.builder().targetModules("query").rank(2).build());
    TrainingArguments.Builder arguments =
        TrainingArguments.builder()
            .engine(engine())
            .device(Device.CPU)
            .threads(1)
            .maxLength(12)
            .stride(3)
            .labelAllSubwords(allSubwords)
            .maxSteps(9)
            .trainBatchSize(4)
            .gradientAccumulationSteps(2)
            .loraDropout(0.1)
            .loggingSteps(1);
    Dataset data = Dataset.file(train);
    Path straight = folder.resolve("straight");
    model.train(data, Dataset.file(eval), arguments.outputDir(straight).build());
    Path stopped = folder.resolve("stopped");
    TrainingListener cancels =
        new TrainingListener() {
          private long step;

          @Override
          public void onLog(StepMetrics figures) {
            step = figures.step();
          }

          @Override
          public boolean shouldTrainingStop() {
            return step >= 4;
          }
        };
    TrainingArguments first = arguments.outputDir(stopped).build();
    assertThrows(
        TrainingCancelledException.class,
        () -> model.train(data, Dataset.file(eval), first, cancels));
    TrainingArguments other =
        arguments.labelAllSubwords(!allSubwords).resumeFromCheckpoint(true).build();
    assertThrows(LoraGraphException.class, () -> model.train(data, Dataset.file(eval), other));
    model.train(data, Dataset.file(eval), arguments.labelAllSubwords(allSubwords).build());
    assertArrayEquals(Runs.learned(straight), Runs.learned(stopped));
  }

  /** Words, tags of each scheme, and spans of characters are the same data. */
  @Test
  void allFormsGiveTheSameTraining() throws IOException {
    Model model = Model.open(tagger(encoder));
    Path json = folder.resolve("train.jsonl");
    Path spans = folder.resolve("spans.jsonl");
    Path table = folder.resolve("spans.tsv");
    StringBuilder ofWords = new StringBuilder();
    StringBuilder ofSpans = new StringBuilder();
    StringBuilder ofTable = new StringBuilder("text\tentities\n");
    ObjectMapper mapper = new ObjectMapper();
    List<Example> ofProgram = new ArrayList<>();
    for (EntityCorpus.Tagged sentence : TRAIN) {
      ofWords.append(
          "{\"tokens\": %s, \"ner_tags\": %s}\n"
              .formatted(
                  mapper.writeValueAsString(sentence.words()),
                  mapper.writeValueAsString(
                      sentence.tags().stream()
                          .map(tag -> List.of("O", "B-LOC", "I-LOC", "B-PER", "I-PER").indexOf(tag))
                          .toList())));
      List<Object> objects = new ArrayList<>();
      List<Object> lists = new ArrayList<>();
      List<EntitySpan> own = new ArrayList<>();
      for (String entity : entities(0, sentence.tags())) {
        String[] parts = entity.split(" ");
        List<String> before = sentence.words().subList(0, Integer.parseInt(parts[1]));
        List<String> until = sentence.words().subList(0, Integer.parseInt(parts[2]));
        int start = String.join(" ", before).length() + (before.isEmpty() ? 0 : 1);
        int end = String.join(" ", until).length();
        objects.add(Map.of("start", start + 2, "end", end + 2, "label", parts[3]));
        lists.add(List.of(start, end, parts[3]));
        own.add(new EntitySpan(start, end, parts[3]));
      }
      String text = String.join(" ", sentence.words());
      ofSpans.append(
          "{\"text\": \"  %s\", \"spans\": %s, \"answer\": \"accept\"}\n"
              .formatted(text, mapper.writeValueAsString(objects)));
      ofTable.append(text + "\t" + mapper.writeValueAsString(lists) + "\n");
      ofProgram.add(Example.of(text).withSpans(own));
    }
    Files.writeString(json, ofWords);
    Files.writeString(spans, ofSpans);
    Files.writeString(table, ofTable);
    TrainingArguments arguments =
        TrainingArguments.builder()
            .method(TrainingArguments.Method.HEAD)
            .engine(engine())
            .device(Device.CPU)
            .threads(1)
            .maxSteps(5)
            .build();
    double loss = model.train(Dataset.file(train), arguments).trainLoss();
    for (Path file : List.of(json, spans, table)) {
      assertEquals(loss, model.train(Dataset.file(file), arguments).trainLoss(), file.toString());
    }
    assertEquals(loss, model.train(Dataset.of(ofProgram), arguments).trainLoss());
    HeadConfig head = HeadConfig.of(Task.TOKEN_CLASSIFICATION, Dataset.file(spans));
    assertEquals(model.labels(), Model.open(encoder).addHead(head).labels());
  }

  @Test
  void whatIsGuessedOrLostIsSaid() throws IOException {
    Path tagger = tagger(encoder);
    Path spans =
        Files.writeString(
            folder.resolve("spans.jsonl"),
            """
            {"text": "Bob saw Carla.", "entities": [[0, 2, "PER"], [9, 13, "PER"], [14, 15, "LOC"]]}
            {"text": "x", "entities": []}
            """
                .replace("Carla.", "Carla. "));
    Cli run = Cli.run("eval", tagger, "--data", spans);
    assertTrue(run.err().contains("2 of 3 spans begin or end inside of a word"), run.err());
    assertTrue(run.err().contains("1 of 3 spans have no word to themselves"), run.err());
    Path words =
        Files.writeString(
            folder.resolve("words.jsonl"),
            "{\"tokens\": [\"Bob\", \"\\u0007\", \"New\\n"
                + "York\"], \"tags\": [\"B-PER\", \"I-PER\", \"B-LOC\"]}\n");
    run = Cli.run("eval", tagger, "--data", words);
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.err().contains("1 word has no token of its own"), run.err());
    JsonNode predicted = Cli.json("predict", tagger, "--data", words).get("predictions").get(0);
    assertEquals(3, predicted.get("labels").size());
    Path single = Files.writeString(folder.resolve("single.conll"), "Ann\tS-PER\nleft\tO\n");
    Cli head =
        Cli.run(
            "add-head",
            encoder,
            "--task",
            "token-classification",
            "--labels-from",
            single,
            "-o",
            folder.resolve("single"));
    assertEquals(0, head.exitCode(), head.err());
    assertTrue(head.err().contains("tags are BIOES, 1 sentence with PER"), head.err());
    assertTrue(head.err().contains("no entity of several words is of PER"), head.err());
  }

  @Test
  void badInputIsRefused() throws IOException {
    Path tagger = tagger(encoder);
    Map<String, String> cases = new TreeMap<>();
    cases.put("Ann B-PER\nx O\nBob I-LOC\nx O\nx B-LOC\n", ":3 has 'I-LOC' after 'O'");
    cases.put("Ann B-PER\nBob B-ORG\n", ":2 has the label 'B-ORG', which the model's head does");
    cases.put("Ann B-PER\nBob\n", ":2 has one column");
    cases.put("\n", " holds no examples");
    for (Map.Entry<String, String> entry : cases.entrySet()) {
      Path file = Files.writeString(folder.resolve("bad.conll"), entry.getKey());
      assertRefused(file + entry.getValue(), "eval", tagger, "--data", file);
    }
    Path file = folder.resolve("bad.jsonl");
    Files.writeString(file, "{\"tokens\": [\"Ann\"], \"tags\": [\"O\", \"O\"]}\n");
    assertRefused(
        file + ":1 has 2 tags for 1 words: give one each", "eval", tagger, "--data", file);
    assertRefused(
        "windows of 3 tokens of the text cannot have 3 in common: give 2 or less with --stride",
        "eval",
        tagger,
        "--data",
        eval,
        "--max-length",
        5,
        "--stride",
        3);
    Path tokenizer = tagger.resolve("tokenizer.json");
    Files.writeString(
        tokenizer, Files.readString(tokenizer).replace("{\"type\": \"BertPreTokenizer\"}", "null"));
    assertRefused("does not divide a text into words", "predict", tagger, "Ann saw Bob");
    // Given words need no other ones.
    assertEquals(0, Cli.run("predict", tagger, "--data", eval).exitCode());
    assertFalse(Cli.run("predict", tagger, "Ann").err().contains("divide"));
  }

  private static void assertRefused(String words, Object... arguments) {
    Cli run = Cli.run(arguments);
    assertEquals(1, run.exitCode(), run.err());
    String[] lines = run.err().strip().split("\n");
    assertTrue(lines[lines.length - 1].contains(words), run.err());
  }

  @Test
  void partsOfSpeechOfUniversalDependencies() throws IOException {
    String rest = "\t_\t_\t_\t_\t_\t_\n";
    Path words =
        Files.writeString(
            folder.resolve("ud.conllu"),
            "# text = Ann saw\n1-2\tAnnsaw\t_\t_"
                + rest
                + "1\tAnn\tAnn\tNOUN"
                + rest
                + "2\tsaw\tsee\tVERB"
                + rest
                + "\n1\tBob\tBob\tNOUN"
                + rest);
    Cli made =
        Cli.run(
            "add-head",
            encoder,
            "--task",
            "token-classification",
            "--labels-from",
            words,
            "-o",
            folder.resolve("ud"));
    assertEquals(0, made.exitCode(), made.err());
    assertEquals(
        1,
        made.err().split("of 10 columns number 2 \\(FORM\\) is the word and number 4", -1).length
            - 1,
        made.err());
    assertTrue(made.out().contains("2 classes: NOUN, VERB"), made.out());
    assertTrue(
        Cli.run("eval", folder.resolve("ud"), "--data", words).out().startsWith("3 examples: "));
  }

  /** Labels of single words are answered for words. */
  @Test
  void labelsThatAreNoTags() throws IOException {
    Path words =
        Files.writeString(
            folder.resolve("pos.conll"), "Ann NOUN\nsaw VERB\nBob NOUN\n\nCarla NOUN\nwent VERB\n");
    Path tagger = folder.resolve("pos");
    JsonNode head =
        Cli.json(
            "add-head",
            encoder,
            "--task",
            "token-classification",
            "--labels-from",
            words,
            "-o",
            tagger);
    assertEquals("[\"NOUN\",\"VERB\"]", head.get("labels").toString());
    Cli measured = Cli.run("eval", tagger, "--data", words);
    assertTrue(measured.err().contains("are labels of single words"), measured.err());
    assertTrue(measured.out().startsWith("5 examples: loss"), measured.out());
    JsonNode tokens =
        Cli.json("predict", tagger, "--data", words).get("predictions").get(1).get("tokens");
    assertEquals("Carla", tokens.get(0).get("token").asText());
    assertEquals(2, tokens.size());
    Path lost =
        Files.writeString(
            folder.resolve("lost.jsonl"), "{\"tokens\": [\"Ann\", \"\\u0007\", \"saw\"]}\n");
    tokens = Cli.json("predict", tagger, "--data", lost).get("predictions").get(0).get("tokens");
    assertEquals(3, tokens.size());
    assertEquals("O", tokens.get(1).get("label").asText());
    assertEquals(0, tokens.get(1).get("probability").asDouble());
  }
}
