package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.models.ReferenceArchitecture;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole trainings of embeddings, from groups of texts to files. */
class EmbeddingTrainingTest {
  private static final List<String> WORDS = List.of("good", "bad", "strange", "film", "the");

  @TempDir Path folder;
  private final List<String> notes = new ArrayList<>();
  private Model model;

  TrainingArguments.Engine engine() {
    return TrainingArguments.Engine.GRAPH;
  }

  @BeforeEach
  void makeModel() throws IOException {
    Path plain = folder.resolve("plain");
    DataCommandsTest.makeModel(plain);
    Path encoder = Files.createDirectories(folder.resolve("encoder"));
    OnnxModel states = Encoders.of(new ReferenceArchitecture(32, 2, 2, 64, 40, 40, 2).model(0), 32);
    OnnxFile.write(states, encoder.resolve("model.onnx"), true);
    Files.copy(
        plain.resolve("tokenizer.json"),
        encoder.resolve("tokenizer.json"),
        StandardCopyOption.REPLACE_EXISTING);
    model =
        Model.open(encoder)
            .withNotes(notes::add)
            .inject(LoraConfig.builder().targetModules("query|value").rank(2).seed(3).build());
    model = Model.open(model.save(folder.resolve("adapted"))).withNotes(notes::add);
  }

  private static String text(Random random) {
    StringBuilder text = new StringBuilder(WORDS.get(random.nextInt(WORDS.size())));
    for (int more = random.nextInt(7); more > 0; more--) {
      text.append(' ').append(WORDS.get(random.nextInt(WORDS.size())));
    }
    return text.toString();
  }

  /** Groups of texts of several lengths, some with equal texts; the last batch is smaller. */
  private static List<Example> groups(int count, int negatives, boolean ragged, long seed) {
    Random random = new Random(seed);
    List<Example> groups = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Example pair = Example.pair(text(random), text(random)).withNumber(random.nextDouble());
      int own = ragged ? i % (negatives + 1) : negatives;
      List<String> wrong = Stream.generate(() -> text(random)).limit(own).toList();
      double[] scores = random.doubles(own + 1, -5, 5).toArray();
      groups.add(own == 0 ? pair : pair.withNegatives(wrong).withScores(scores));
    }
    return groups;
  }

  private TrainingArguments.Builder arguments(EmbeddingLoss loss) {
    return TrainingArguments.builder()
        .task(Task.EMBEDDING)
        .embedding(
            EmbeddingArguments.AS_FOUND
                .withPooling(EmbeddingArguments.Pooling.MEAN)
                .withNormalize(true))
        .embeddingLoss(loss)
        .engine(engine())
        .device(Device.CPU)
        .threads(1)
        .numTrainEpochs(2)
        .trainBatchSize(6)
        .learningRate(1e-2)
        .loggingSteps(1)
        .seed(5);
  }

  /** Both encoders' layers are computed a second time for the way back. */
  @Test
  void recomputing() {
    List<Example> groups = groups(14, 2, true, 7);
    TrainingArguments.Builder plain = arguments(EmbeddingLoss.multipleNegatives());
    Map<String, Tensor> kept = adapters(model.train(Dataset.of(groups), plain.build()));
    Map<String, Tensor> again =
        adapters(model.train(Dataset.of(groups), plain.recompute(true).build()));
    kept.forEach(
        (name, tensor) ->
            assertArrayEquals(tensor.toFloats(), again.get(name).toFloats(), 1e-5f, name));
  }

  private static Map<String, Tensor> adapters(TrainingResult result) {
    Map<String, Tensor> all = result.model().onnx().graph().initializers();
    return all.entrySet().stream()
        .filter(e -> e.getKey().contains("lora_"))
        .collect(java.util.stream.Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
  }

  private static double difference(TrainingResult a, TrainingResult b) {
    double largest = 0;
    Map<String, Tensor> others = adapters(b);
    for (Map.Entry<String, Tensor> entry : adapters(a).entrySet()) {
      float[] first = entry.getValue().toFloats();
      float[] second = others.get(entry.getKey()).toFloats();
      for (int i = 0; i < first.length; i++) {
        largest = Math.max(largest, Math.abs(first[i] - second[i]));
      }
    }
    return largest;
  }

  static Stream<EmbeddingLoss> losses() {
    return Stream.of(
        EmbeddingLoss.multipleNegatives(),
        EmbeddingLoss.multipleNegatives().withSymmetric(true).withScale(10),
        EmbeddingLoss.multipleNegatives().withMatryoshka(32, 8),
        EmbeddingLoss.cosine(),
        EmbeddingLoss.cosent(),
        EmbeddingLoss.triplet(),
        EmbeddingLoss.triplet().withDistance(EmbeddingLoss.Distance.COSINE).withMargin(0.3),
        EmbeddingLoss.marginMse(),
        EmbeddingLoss.kl().withTemperature(2));
  }

  private static int negatives(EmbeddingLoss loss) {
    return List.of("cosine", "cosent").contains(loss.name()) ? 0 : 2;
  }

  @ParameterizedTest
  @MethodSource("losses")
  void aBatchInPartsTeachesWhatTheWholeDoes(EmbeddingLoss loss) {
    Dataset data = Dataset.of(groups(16, negatives(loss), false, 1));
    TrainingResult whole = model.train(data, arguments(loss).build());
    notes.clear();
    TrainingResult micro = model.train(data, arguments(loss).microBatchSize(2).build());
    boolean compares = loss.name().equals("cosent") || loss.name().equals("multiple-negatives");
    assertEquals(
        compares,
        notes.contains(
            "micro-batches (2) are not possible: the loss compares all examples of a batch with each other, so each batch is computed in one piece"),
        notes::toString);
    assertEquals(whole.trainLoss(), micro.trainLoss(), 1e-5 * Math.max(1, whole.trainLoss()));
    assertTrue(difference(whole, micro) < 1e-5, () -> loss + ": " + difference(whole, micro));
    if (engine() == TrainingArguments.Engine.TRAINING_API) {
      assertThrows(
          LoraGraphException.class,
          () -> model.train(data, arguments(loss).miniBatchSize(4).build()));
      return;
    }
    TrainingResult parts = model.train(data, arguments(loss).miniBatchSize(4).build());
    assertEquals(6, whole.steps());
    assertEquals(whole.trainLoss(), parts.trainLoss(), 1e-5 * Math.max(1, whole.trainLoss()));
    assertTrue(difference(whole, parts) < 1e-5, () -> loss + ": " + difference(whole, parts));
    TrainingResult gathered =
        model.train(data, arguments(loss).gradientAccumulationSteps(2).build());
    TrainingResult both =
        model.train(data, arguments(loss).gradientAccumulationSteps(2).miniBatchSize(4).build());
    assertTrue(difference(gathered, both) < 1e-5, () -> loss + ": " + difference(gathered, both));
  }

  /** All other texts of the batch are its negatives, those of other parts, too. */
  @Test
  void aLargeBatchInPartsIsOneBatch() {
    if (engine() == TrainingArguments.Engine.TRAINING_API) {
      return;
    }
    Dataset data = Dataset.of(groups(512, 0, false, 3));
    TrainingArguments.Builder arguments =
        arguments(EmbeddingLoss.multipleNegatives()).trainBatchSize(512);
    TrainingResult whole = model.train(data, arguments.build());
    TrainingResult parts = model.train(data, arguments.miniBatchSize(32).build());
    assertEquals(2, parts.steps());
    assertEquals(whole.trainLoss(), parts.trainLoss(), 1e-5 * whole.trainLoss());
    assertTrue(difference(whole, parts) < 1e-5, () -> "" + difference(whole, parts));
  }

  @Test
  void groupsWithFewerNegativesAreFilledUpWithWhatCountsNothing() {
    TrainingArguments arguments =
        arguments(EmbeddingLoss.multipleNegatives()).trainBatchSize(16).maxSteps(1).build();
    List<Example> ragged = groups(16, 2, true, 4);
    double loss = model.train(Dataset.of(ragged), arguments).trainLoss();
    assertEquals(expectedLoss(ragged), loss, 1e-5);
    assertTrue(notes.toString().contains("groups have fewer negatives than 2"), notes.toString());
  }

  /** -100 is what fills up scores: a teacher that gives it means no score at all. */
  @Test
  void aScoreThatStandsForNoneLeavesItsTextOutAndIsSaid() {
    Example one = Example.pair("ab cd", "ef").withNegatives("gh", "ij").withScores(2, 1, -100);
    Example same = Example.pair("ab cd", "ef").withNegatives("gh").withScores(2, 1);
    Example other = Example.pair("kl", "mn op").withNegatives("qr", "st").withScores(3, 1, 2);
    for (EmbeddingLoss loss : List.of(EmbeddingLoss.marginMse(), EmbeddingLoss.kl())) {
      TrainingArguments arguments = arguments(loss).maxSteps(1).build();
      double without = model.train(Dataset.of(List.of(same, other)), arguments).trainLoss();
      assertFalse(notes.toString().contains("stand for none"), notes::toString);
      double marked = model.train(Dataset.of(List.of(one, other)), arguments).trainLoss();
      assertEquals(without, marked, 1e-6, loss::toString);
      assertTrue(
          notes.toString().contains("scores of -100 stand for none: 1 of them"), notes::toString);
      notes.clear();
    }
  }

  @Test
  void theFirstLossIsThatOfItsDefinition() {
    List<Example> groups = groups(16, 1, false, 9);
    TrainingArguments arguments =
        arguments(EmbeddingLoss.multipleNegatives()).trainBatchSize(16).maxSteps(1).build();
    assertEquals(
        expectedLoss(groups), model.train(Dataset.of(groups), arguments).trainLoss(), 1e-5);
  }

  /** Multiple negatives over one batch. */
  private double expectedLoss(List<Example> groups) {
    List<String> texts = new ArrayList<>();
    groups.forEach(g -> texts.add(g.textPair().get()));
    groups.forEach(g -> texts.addAll(g.negatives()));
    return expectedLoss(groups, texts);
  }

  /**
   * The same against given texts, from single texts that were embedded one by one. Where the right
   * text is among them several times, it counts once.
   */
  private double expectedLoss(List<Example> groups, List<String> texts) {
    double sum = 0;
    try (Embedder embedder = model.embedder(inference())) {
      for (Example group : groups) {
        String anchor = group.text().get();
        List<String> right =
            groups.stream()
                .filter(g -> g.text().get().equals(anchor))
                .map(g -> g.textPair().get())
                .toList();
        float[] a = embedder.embed(anchor);
        double own = 20 * cosine(a, embedder.embed(group.textPair().get()));
        double all = Math.exp(own);
        for (String text : texts) {
          if (!right.contains(text) && !text.equals(anchor)) {
            all += Math.exp(20 * cosine(a, embedder.embed(text)));
          }
        }
        sum += Math.log(all) - own;
      }
    }
    return sum / groups.size();
  }

  private static InferenceArguments inference() {
    return InferenceArguments.builder()
        .embedding(
            EmbeddingArguments.AS_FOUND
                .withPooling(EmbeddingArguments.Pooling.MEAN)
                .withNormalize(true))
        .device(Device.CPU)
        .build();
  }

  private static double cosine(float[] a, float[] b) {
    double product = 0;
    double first = 0;
    double second = 0;
    for (int i = 0; i < a.length; i++) {
      product += (double) a[i] * b[i];
      first += (double) a[i] * a[i];
      second += (double) b[i] * b[i];
    }
    return product / Math.sqrt(first * second);
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "parts", "query side", "query side of triplets"})
  void aStoppedTrainingGoesOnToTheSameBytes(String kind) throws IOException {
    TrainingArguments.Builder arguments =
        switch (kind) {
          case "plain" -> arguments(EmbeddingLoss.multipleNegatives()).loraDropout(0.1);
          case "parts" -> arguments(EmbeddingLoss.multipleNegatives()).miniBatchSize(2);
          case "query side" -> arguments(EmbeddingLoss.multipleNegatives()).querySide(true);
          default -> arguments(EmbeddingLoss.triplet()).querySide(true);
        };
    if (kind.equals("parts") && engine() == TrainingArguments.Engine.TRAINING_API) {
      return;
    }
    arguments.gradientAccumulationSteps(2).numTrainEpochs(4);
    Dataset data = Dataset.of(groups(22, 1, false, 2));
    Dataset heldOut = Dataset.of(groups(9, 1, false, 3));
    Path whole = folder.resolve("whole");
    TrainingResult straight = model.train(data, heldOut, arguments.outputDir(whole).build());
    Path run = folder.resolve("run");
    arguments.outputDir(run);
    assertThrows(
        TrainingCancelledException.class,
        () -> model.train(data, heldOut, arguments.build(), new StopAfter(3)));
    TrainingResult resumed =
        model.train(data, heldOut, arguments.resumeFromCheckpoint(true).build());
    assertArrayEquals(Runs.learned(whole), Runs.learned(run));
    assertEquals(straight.evaluation().get().metrics(), resumed.evaluation().get().metrics());
    assertEquals(straight.base().get().metrics(), resumed.base().get().metrics());
    assertEquals(
        Files.readString(whole.resolve("1_Pooling/config.json")),
        Files.readString(run.resolve("1_Pooling/config.json")));
  }

  private record StopAfter(long step, long[] seen) implements TrainingListener {
    StopAfter(long step) {
      this(step, new long[1]);
    }

    @Override
    public void onStepEnd(StepMetrics metrics) {
      seen[0] = metrics.step();
    }

    @Override
    public boolean shouldTrainingStop() {
      return seen[0] == step;
    }
  }

  @Test
  void ofTheQuerySideTheFirstLossIsOverAllTextsOfTheData() {
    List<Example> groups = groups(12, 1, false, 6);
    TrainingArguments arguments =
        arguments(EmbeddingLoss.multipleNegatives())
            .querySide(true)
            .trainBatchSize(12)
            .maxSteps(1)
            .build();
    double loss = model.train(Dataset.of(groups), arguments).trainLoss();
    List<String> different =
        groups.stream()
            .flatMap(g -> Stream.concat(g.textPair().stream(), g.negatives().stream()))
            .distinct()
            .toList();
    assertEquals(expectedLoss(groups, different), loss, 1e-5);
  }

  @Test
  void ofTheQuerySideDocumentsAreThoseOfTheModelBefore() throws IOException {
    Path run = folder.resolve("run");
    Dataset data = Dataset.of(groups(14, 0, false, 6));
    Dataset heldOut = Dataset.of(groups(9, 0, false, 16));
    TrainingResult result =
        model.train(
            data,
            heldOut,
            arguments(EmbeddingLoss.multipleNegatives())
                .querySide(true)
                .outputDir(run)
                .writeModel(true)
                .build());
    notes.clear();
    try (Embedder before = model.embedder(inference());
        Embedder later = Model.open(run).withNotes(notes::add).embedder()) {
      assertArrayEquals(
          before.embedDocuments(List.of("good film")).get(0),
          later.embedDocuments(List.of("good film")).get(0));
      assertNotEquals(
          before.embedQueries(List.of("good film")).get(0)[0],
          later.embedQueries(List.of("good film")).get(0)[0]);
      assertEquals(result.evaluation().get().score(), later.evaluate(heldOut).score(), 1e-6);
    }
    assertTrue(notes.toString().contains("its documents are embedded by"), notes.toString());
    Path moved = folder.resolve("moved");
    Files.move(folder.resolve("adapted"), moved);
    try (Embedder alone = Model.open(run).embedder()) {
      assertEquals(32, alone.embed("good").length);
      String message =
          assertThrows(LoraGraphException.class, () -> alone.evaluate(heldOut)).getMessage();
      assertTrue(message.contains("the encoder of queries alone was trained"), message);
    }
    InferenceArguments named =
        InferenceArguments.builder()
            .embedding(EmbeddingArguments.AS_FOUND.withDocumentModel(moved.resolve("model.onnx")))
            .build();
    try (Embedder again = Model.open(run).embedder(named)) {
      assertEquals(result.evaluation().get().score(), again.evaluate(heldOut).score(), 1e-6);
    }
  }

  @Test
  void anEncoderOfQueriesSaysSoWhereverItIsWritten() throws IOException {
    Dataset data = Dataset.of(groups(14, 0, false, 6));
    Dataset heldOut = Dataset.of(groups(9, 0, false, 16));
    TrainingArguments.Builder arguments =
        arguments(EmbeddingLoss.multipleNegatives()).querySide(true);
    TrainingResult first =
        model.train(data, heldOut, arguments.outputDir(folder.resolve("run")).build());
    notes.clear();
    Model merged =
        Model.open(
                Model.open(folder.resolve("run"))
                    .withNotes(notes::add)
                    .merge()
                    .save(folder.resolve("merged")))
            .withNotes(notes::add);
    assertTrue(notes.toString().contains("so the merged model embeds queries"), notes.toString());
    float[] expected;
    try (Embedder before = model.embedder(inference());
        Embedder later = merged.embedder()) {
      expected = before.embedDocuments(List.of("good film")).get(0);
      assertArrayEquals(expected, later.embedDocuments(List.of("good film")).get(0));
      assertEquals(first.evaluation().get().score(), later.evaluate(heldOut).score(), 1e-6);
    }
    // Trained further it begins where it was, and documents stay those of the first model.
    Model again = merged.inject(LoraConfig.builder().targetModules("query").rank(2).build());
    TrainingResult second =
        again.train(data, heldOut, arguments.outputDir(folder.resolve("further")).build());
    assertEquals(first.evaluation().get().score(), second.base().get().score(), 1e-6);
    try (Embedder later = second.model().embedder();
        Embedder opened = Model.open(folder.resolve("further")).embedder()) {
      assertArrayEquals(expected, later.embedDocuments(List.of("good film")).get(0));
      assertArrayEquals(expected, opened.embedDocuments(List.of("good film")).get(0));
    }
    notes.clear();
    TrainingResult both =
        again.train(data, arguments.querySide(false).outputDir(folder.resolve("both")).build());
    assertTrue(notes.toString().contains("both sides are trained now"), notes.toString());
    try (Embedder later = both.model().embedder()) {
      assertArrayEquals(
          later.embed("good film"), later.embedDocuments(List.of("good film")).get(0));
    }
    Files.write(
        folder.resolve("adapted/model.onnx"),
        new byte[] {0},
        java.nio.file.StandardOpenOption.APPEND);
    try (Embedder later = merged.embedder()) {
      String message =
          assertThrows(LoraGraphException.class, () -> later.embedDocuments(List.of("good film")))
              .getMessage();
      assertTrue(message.contains("is not the file that it was"), message);
    }
  }

  @Test
  void theFilesBesideWhatWasTrainedSayHowItWasTrained() throws IOException {
    Path adapted = folder.resolve("adapted");
    Files.createDirectories(adapted.resolve("1_Pooling"));
    Files.writeString(adapted.resolve("1_Pooling/config.json"), "{\"pooling_mode\": \"mean\"}");
    Files.writeString(adapted.resolve("modules.json"), "[]");
    Files.writeString(adapted.resolve("sentence_bert_config.json"), "{\"max_seq_length\": 30}");
    Files.writeString(
        adapted.resolve("config_sentence_transformers.json"),
        "{\"prompts\": {\"query\": \"good \", \"passage\": \"bad \"}, \"similarity_fn_name\": \"dot\"}");
    Path run = folder.resolve("run");
    EmbeddingArguments other =
        EmbeddingArguments.AS_FOUND
            .withPooling(EmbeddingArguments.Pooling.CLS)
            .withNormalize(true)
            .withQueryPrefix("")
            .withDocumentPrefix("film ");
    Model.open(adapted)
        .withNotes(notes::add)
        .train(
            Dataset.of(groups(6, 0, false, 1)),
            arguments(EmbeddingLoss.multipleNegatives())
                .embedding(other)
                .maxLength(5)
                .maxSteps(2)
                .outputDir(run)
                .build());
    Path merged = Model.open(run).merge().save(folder.resolve("merged"));
    InferenceArguments same =
        InferenceArguments.builder().embedding(other).maxLength(5).device(Device.CPU).build();
    String text = "the film the good bad strange film";
    for (Path written : List.of(run, merged)) {
      try (Embedder asked = Model.open(written).embedder(same);
          Embedder found = Model.open(written).embedder()) {
        assertEquals(5, found.maxLength());
        assertArrayEquals(
            asked.embedQueries(List.of(text)).get(0), found.embedQueries(List.of(text)).get(0));
        assertArrayEquals(
            asked.embedDocuments(List.of(text)).get(0), found.embedDocuments(List.of(text)).get(0));
      }
    }
    assertTrue(
        Files.readString(run.resolve("config_sentence_transformers.json")).contains("\"dot\""));
  }

  @Test
  void whatIsNoBetterMayStayAsItWas() throws IOException {
    Dataset data = Dataset.of(groups(12, 0, false, 7));
    // Each text is its own answer, which every model finds: none does better than the first.
    Dataset heldOut =
        Dataset.of(
            WORDS.stream().map(word -> Example.pair(word + " film", word + " film")).toList());
    TrainingArguments.Builder arguments = arguments(EmbeddingLoss.cosine());
    TrainingResult worse = model.train(data, heldOut, arguments.build());
    assertEquals(1, worse.base().get().score());
    assertEquals(1, worse.evaluation().get().score());
    assertFalse(worse.keptBase());
    assertTrue(
        worse.notes().stream().anyMatch(n -> n.startsWith("the training made the model no better")),
        worse.notes().toString());
    TrainingResult kept =
        model.train(
            data, heldOut, arguments.keepIfBetter(true).outputDir(folder.resolve("kept")).build());
    assertTrue(kept.keptBase());
    assertEquals(kept.base(), kept.evaluation());
    assertEquals(Optional.empty(), kept.best());
    JsonNode record = Runs.record(folder.resolve("kept"));
    assertTrue(record.path("keptBase").asBoolean(), record::toString);
    assertEquals(record.path("base"), record.path("final"));
    assertEquals(0, record.path("evaluatedStep").asInt());
    assertFalse(record.has("best"), record::toString);
    assertEquals(WORDS.size(), record.path("data").path("heldOut").asInt());
    assertEquals(2 * WORDS.size(), record.path("data").path("textsEval").asInt());
    String page = Files.readString(folder.resolve("kept/report.html"));
    assertTrue(page.contains("the run left the model as it was"), page);
    for (Map.Entry<String, Tensor> entry : adapters(kept).entrySet()) {
      assertArrayEquals(
          model.onnx().graph().initializers().get(entry.getKey()).toFloats(),
          entry.getValue().toFloats());
    }
  }

  /** Four pairs of two texts with two: as many of the one as of the other. */
  @Test
  void textsAreCountedAlsoWhereThereAreAsManyAsPairs() throws IOException {
    List<Example> pairs = new ArrayList<>();
    for (String one : List.of("good film", "bad film")) {
      for (String other : List.of("the good", "the bad")) {
        pairs.add(Example.pair(one, other).withNumber(0.5));
      }
    }
    Path run = folder.resolve("run");
    model.train(
        Dataset.of(pairs), arguments(EmbeddingLoss.cosine()).maxSteps(1).outputDir(run).build());
    JsonNode data = Runs.record(run).path("data");
    assertEquals(4, data.path("examples").asInt(), data::toString);
    assertTrue(data.has("texts"), data::toString);
    assertEquals(4, data.path("texts").asInt(), data::toString);
  }

  @Test
  void prefixesGoBeforeTextsAndAreNotedForLaterCommands() {
    Path run = folder.resolve("run");
    EmbeddingArguments embedding =
        EmbeddingArguments.AS_FOUND
            .withPooling(EmbeddingArguments.Pooling.CLS)
            .withNormalize(false)
            .withQueryPrefix("good ")
            .withDocumentPrefix("bad ");
    List<Example> groups = groups(6, 0, false, 1);
    List<Example> written =
        groups.stream()
            .map(g -> Example.pair("good " + g.text().get(), "bad " + g.textPair().get()))
            .toList();
    TrainingArguments.Builder arguments =
        arguments(EmbeddingLoss.multipleNegatives()).maxSteps(2).embedding(embedding);
    TrainingResult asked = model.train(Dataset.of(groups), arguments.outputDir(run).build());
    TrainingResult byHand =
        model.train(
            Dataset.of(written),
            arguments
                .outputDir(folder.resolve("other"))
                .embedding(embedding.withQueryPrefix("").withDocumentPrefix(""))
                .build());
    assertEquals(0, difference(asked, byHand));
    try (Embedder later = Model.open(run).embedder(InferenceArguments.DEFAULTS);
        Embedder now = model.embedder(InferenceArguments.builder().embedding(embedding).build())) {
      assertEquals(32, later.dimension());
      assertEquals(now.dimension(), later.dimension());
    }
  }

  @Test
  void inputsThatAreNoIntegersAreRefused() throws IOException {
    OnnxModel states = Encoders.of(new ReferenceArchitecture(32, 2, 2, 64, 40, 40, 2).model(0), 32);
    Graph graph = states.graph().copy();
    graph.addInput(ValueInfo.of("weights", TensorType.of(ElementType.FLOAT, -1, -1)));
    Path weighed = Files.createDirectories(folder.resolve("weighed"));
    OnnxFile.write(states.withGraph(graph), weighed.resolve("model.onnx"), false);
    Model taking =
        Model.open(
            Model.open(weighed)
                .inject(LoraConfig.builder().targetModules("query|value").rank(2).build())
                .save(folder.resolve("w")));
    String line =
        "{\"anchor\": {\"input_ids\": [2, 7, 3], \"weights\": [1, 1, 1]}, \"positive\":"
            + " {\"input_ids\": [2, 9, 3], \"weights\": [1, 0.5, 1]}}\n";
    Path file = Files.writeString(folder.resolve("weights.jsonl"), line.repeat(4));
    LoraGraphException e =
        assertThrows(
            LoraGraphException.class,
            () ->
                taking.train(
                    Dataset.file(file),
                    arguments(EmbeddingLoss.multipleNegatives()).maxSteps(1).build()));
    assertEquals(
        file
            + ":1: 'weights' is no list of integers, as every input of a positive or negative has"
            + " to be",
        e.getMessage());
  }

  @Test
  void nothingIsPutBeforeTokensInSilence() throws IOException {
    String line =
        "{\"anchor\": {\"input_ids\": [2, 7, 3]}, \"positive\": {\"input_ids\": [2, 9, 3]}}\n";
    Dataset data = Dataset.file(Files.writeString(folder.resolve("tokens.jsonl"), line.repeat(4)));
    TrainingArguments.Builder arguments = arguments(EmbeddingLoss.multipleNegatives()).maxSteps(1);
    assertEquals(1, model.train(data, arguments.build()).steps());
    EmbeddingArguments prefixed =
        EmbeddingArguments.AS_FOUND
            .withPooling(EmbeddingArguments.Pooling.MEAN)
            .withQueryPrefix("query: ");
    String message =
        assertThrows(
                LoraGraphException.class,
                () -> model.train(data, arguments.embedding(prefixed).build()))
            .getMessage();
    assertTrue(
        message.endsWith(
            "tokens.jsonl:1 has tokens, before which 'query: ' cannot be put: give text, or an"
                + " empty prefix"),
        message);
  }

  private String refusal(List<Example> groups, TrainingArguments.Builder arguments) {
    String message =
        assertThrows(
                LoraGraphException.class,
                () -> model.train(Dataset.of(groups).withName("data"), arguments.build()))
            .getMessage();
    assertEquals(1, message.lines().count());
    return message;
  }

  @Test
  void whatDoesNotFitIsRefusedInOneLine() {
    TrainingArguments.Builder usual = arguments(EmbeddingLoss.multipleNegatives());
    assertEquals(
        "data:1 has one text where two are needed: give a second one",
        refusal(List.of(Example.of("good")), usual));
    assertEquals(
        "data:2 has an empty text: mend the example, or leave it out",
        refusal(List.of(Example.pair("good", "bad"), Example.pair("good", " ")), usual));
    assertEquals(
        "data:1 has no score: give it one",
        refusal(List.of(Example.pair("good", "bad")), arguments(EmbeddingLoss.cosine())));
    assertTrue(
        refusal(groups(4, 0, false, 1), arguments(EmbeddingLoss.triplet()))
            .startsWith("the loss triplet needs negatives"));
    assertTrue(
        refusal(groups(4, 1, false, 1), arguments(EmbeddingLoss.cosent()))
            .startsWith("the loss cosent is over pairs with a score"));
    assertEquals(
        "embeddings of 32 numbers cannot be cut to 64",
        refusal(
            groups(4, 0, false, 1),
            arguments(EmbeddingLoss.multipleNegatives().withMatryoshka(64, 16))));
    assertTrue(
        refusal(
                groups(4, 0, false, 1),
                arguments(EmbeddingLoss.multipleNegatives().withSymmetric(true)).querySide(true))
            .contains("leave the symmetric loss or the query side out"));
    assertTrue(
        refusal(groups(4, 0, false, 1), usual.labelSmoothing(0.1)).contains("label smoothing"));
    assertTrue(
        refusal(
                groups(4, 0, false, 1),
                arguments(EmbeddingLoss.multipleNegatives()).embedding(EmbeddingArguments.AS_FOUND))
            .contains("nothing says how they become one"));
    assertThrows(
        LoraGraphException.class,
        () -> arguments(EmbeddingLoss.triplet()).miniBatchSize(2).querySide(true).build());
    assertThrows(
        LoraGraphException.class,
        () -> arguments(EmbeddingLoss.triplet()).miniBatchSize(2).loraDropout(0.1).build());
    assertThrows(
        LoraGraphException.class,
        () ->
            model.train(
                Dataset.of(groups(4, 0, false, 1)),
                arguments(EmbeddingLoss.triplet()).keepIfBetter(true).build()));
  }

  @Test
  void aLossOfAnotherTaskIsRefusedBeforeTheDataIsRead() {
    Path missing = folder.resolve("missing.tsv");
    for (String task : List.of("embedding", "classification")) {
      String loss = task.equals("embedding") ? "list-net" : "triplet";
      Cli run =
          Cli.run(
              "train",
              task.equals("embedding") ? folder.resolve("adapted") : folder.resolve("plain"),
              "--task",
              task,
              "--pooling",
              "mean",
              "--method",
              "full",
              "--loss",
              loss,
              "--data",
              missing,
              "-o",
              folder.resolve("refused"));
      assertEquals(1, run.exitCode());
      assertTrue(
          run.err().contains("%s has no loss '%s': it has".formatted(task, loss)), run.err());
    }
    Cli both =
        Cli.run(
            "train",
            folder.resolve("plain"),
            "--data",
            missing,
            "--loss",
            "list-net",
            "--margin",
            "1",
            "-o",
            folder.resolve("refused"));
    assertTrue(both.err().contains("--margin"), both.err());
  }

  @Test
  void numbersAreHeldToOneRangeAndWhatHasNoEffectIsSaid() {
    List<Example> groups = groups(6, 1, false, 8);
    TrainingArguments.Builder none =
        arguments(EmbeddingLoss.triplet().withMargin(0)).maxSteps(1).trainBatchSize(6);
    assertTrue(model.train(Dataset.of(groups), none.build()).trainLoss() >= 0);
    assertEquals(
        "a margin of -1.0 is not possible: it is 0 or more, 5 as a rule",
        assertThrows(LoraGraphException.class, () -> EmbeddingLoss.triplet().withMargin(-1))
            .getMessage());
    notes.clear();
    EmbeddingLoss odd =
        EmbeddingLoss.multipleNegatives()
            .withMargin(0)
            .withTemperature(2)
            .withDistance(EmbeddingLoss.Distance.COSINE);
    model.train(Dataset.of(groups), arguments(odd).maxSteps(1).build());
    for (String idle : List.of("margin 0.0", "temperature 2.0", "distance cosine")) {
      assertTrue(
          notes.stream().anyMatch(n -> n.startsWith(idle + " has no effect on the loss")),
          notes.toString());
    }
    assertFalse(notes.toString().contains("scale"), notes.toString());
  }

  @Test
  void theCommandLineDoesTheSame() throws IOException {
    boolean parts = engine() == TrainingArguments.Engine.GRAPH;
    List<Example> groups = groups(14, 2, false, 12);
    StringBuilder lines = new StringBuilder("query\tpositive\tnegative_1\tnegative_2\n");
    for (Example g : groups) {
      lines.append(
          String.join(
              "\t",
              g.text().get(),
              g.textPair().get(),
              g.negatives().get(0),
              g.negatives().get(1)));
      lines.append('\n');
    }
    Path data = Files.writeString(folder.resolve("train.tsv"), lines);
    Path byCommand = folder.resolve("by-command");
    Cli.json(
        "train",
        folder.resolve("adapted"),
        "--task",
        "embedding",
        "--pooling",
        "mean",
        "--normalize",
        "--data",
        data,
        "--loss",
        "multiple-negatives",
        "--scale",
        15,
        "--matryoshka",
        "32,16",
        "--query-prefix",
        "the ",
        "--mini-batch-size",
        parts ? 4 : 7,
        "--engine",
        engine().name().toLowerCase(Locale.ROOT).replace('_', '-'),
        "--device",
        "cpu",
        "--threads",
        1,
        "--epochs",
        2,
        "--batch-size",
        7,
        "--lr",
        "1e-2",
        "--seed",
        5,
        "-o",
        byCommand);
    Path byProgram = folder.resolve("by-program");
    model.train(
        Dataset.file(data),
        arguments(EmbeddingLoss.multipleNegatives().withScale(15).withMatryoshka(32, 16))
            .embedding(
                EmbeddingArguments.AS_FOUND
                    .withPooling(EmbeddingArguments.Pooling.MEAN)
                    .withNormalize(true)
                    .withQueryPrefix("the "))
            .miniBatchSize(parts ? 4 : 7)
            .trainBatchSize(7)
            .outputDir(byProgram)
            .build());
    assertArrayEquals(Runs.learned(byCommand), Runs.learned(byProgram));
  }
}
