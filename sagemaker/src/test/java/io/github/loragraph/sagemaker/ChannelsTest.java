package io.github.loragraph.sagemaker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is found in the folders of channels, as the platform and its users fill them. */
class ChannelsTest {
  @TempDir Path folder;
  private Path data;
  private final List<String> notes = new ArrayList<>();

  @BeforeEach
  void begin() throws IOException {
    data = Files.createDirectories(folder.resolve("base/input/data"));
  }

  private Channels channels() {
    return Channels.read(new ContainerFolders(folder.resolve("base")));
  }

  private Path file(String name) throws IOException {
    Path file = data.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, "text");
  }

  private void archive(Path archive, Path of, String... names) throws Exception {
    List<String> words =
        new ArrayList<>(List.of("tar", "-czf", archive.toString(), "-C", of.toString()));
    words.addAll(List.of(names));
    assertEquals(0, new ProcessBuilder(words).inheritIO().start().waitFor());
  }

  private List<String> dataFiles() {
    return channels().dataFiles("train", notes::add).stream()
        .map(file -> data.relativize(Path.of(file)).toString())
        .toList();
  }

  private String refusal(org.junit.jupiter.api.function.Executable call) {
    String refusal = assertThrows(LoraGraphException.class, call).getMessage();
    assertTrue(!refusal.contains("\n"), refusal);
    return refusal;
  }

  private Path model() {
    return channels().model(folder.resolve("unpacked"), notes::add).orElseThrow();
  }

  @Test
  void linksAreFollowed() throws IOException {
    Path elsewhere = Files.createDirectories(folder.resolve("elsewhere/deep"));
    Files.writeString(elsewhere.resolve("b.tsv"), "text");
    Path single = Files.writeString(folder.resolve("single"), "text");
    Files.createSymbolicLink(data.resolve("train"), folder.resolve("elsewhere"));
    assertEquals(List.of("train/deep/b.tsv"), dataFiles());

    Files.delete(data.resolve("train"));
    file("train/c.tsv");
    Files.createSymbolicLink(data.resolve("train/a.tsv"), single);
    Files.createSymbolicLink(data.resolve("train/more"), folder.resolve("elsewhere"));
    assertEquals(List.of("train/a.tsv", "train/c.tsv", "train/more/deep/b.tsv"), dataFiles());

    Files.delete(single);
    String refusal = refusal(this::dataFiles);
    assertTrue(refusal.contains("train/a.tsv is a link that leads nowhere"), refusal);
    Files.delete(data.resolve("train/a.tsv"));
    Files.createSymbolicLink(elsewhere.resolve("loop"), folder.resolve("elsewhere"));
    refusal = refusal(this::dataFiles);
    assertTrue(refusal.contains("loop leads back"), refusal);
  }

  @Test
  void whatIsKnownToBeNoDataIsLeftOutWithALine() throws IOException {
    for (String name :
        List.of(
            "a.tsv", "b.JSON", "c.iob1", "d.csv.gz", "e.conll.zstd", "notice.tsv", "sub/f.jsonl")) {
      file("train/" + name);
    }
    List<String> known =
        List.of(
            ".DS_Store",
            "README.md",
            "_SUCCESS",
            "_delta/x.json",
            "manifest.json",
            "train.manifest");
    for (String name : known) {
      file("train/" + name);
    }
    assertEquals(
        List.of(
            "a.tsv", "b.JSON", "c.iob1", "d.csv.gz", "e.conll.zstd", "notice.tsv", "sub/f.jsonl"),
        dataFiles().stream().map(name -> name.substring("train/".length())).toList());
    assertEquals(
        List.of(
            "no data of channel 'train', by their names: .DS_Store, README.md, _SUCCESS, _delta/x.json, manifest.json and 1 more"),
        notes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"a.parquet", "data", "a.tsv.bz2", "x.npy"})
  void whatIsNoFormOfDataIsRefusedByName(String name) throws IOException {
    file("train/a.tsv");
    file("train/" + name);
    String refusal = refusal(this::dataFiles);
    assertTrue(refusal.contains("in hyperparameter 'data': " + name), refusal);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"train\": \"File\"}",
        "{\"train\": [\"File\"]}",
        "{\"train\": null}",
        "{\"train\": 1}",
        "{\"train\": {\"TrainingInputMode\": 1}}",
        "{\"train\": {\"TrainingInputMode\": {\"a\": \"File\"}}}",
        "{\"train\": {\"TrainingInputMode\": \"file\"}}",
        "{\"train\": {\"RecordWrapperType\": true}}",
        "[\"train\"]",
        "\"train\"",
        "null",
        ""
      })
  void whatIsNoChannelIsRefused(String config) throws IOException {
    file("train/a.tsv");
    Path file = folder.resolve("base/input/config/inputdataconfig.json");
    Files.createDirectories(file.getParent());
    Files.writeString(file, config);
    String refusal = refusal(this::channels);
    assertTrue(refusal.startsWith(file.toString()), refusal);
  }

  @Test
  void aConfigurationThatIsALinkToNothingIsNotTakenForNone() throws IOException {
    file("train/a.tsv");
    Path config = Files.createDirectories(folder.resolve("base/input/config"));
    Path link = config.resolve("inputdataconfig.json");
    Files.createSymbolicLink(link, folder.resolve("nothing"));
    String refusal = refusal(this::channels);
    assertTrue(refusal.startsWith("cannot read " + link), refusal);
  }

  @Test
  void theOneFolderWithAModelIsTheModel() throws Exception {
    file("model/export/v1/onnx/model.onnx");
    file("model/export/v1/config.json");
    file("model/other/readme.md");
    file("model/.hidden/model.onnx");
    assertEquals(data.resolve("model/export/v1"), model());
    assertTrue(notes.get(0).contains("export/v1"), notes.toString());

    Path archive = data.resolve("model/a.tar.gz");
    archive(archive, data.resolve("model"), "export", "other");
    Files.delete(data.resolve("model/export/v1/onnx/model.onnx"));
    notes.clear();
    assertEquals(folder.resolve("unpacked/a.tar.gz/export/v1"), model());
    assertTrue(notes.get(1).contains("export/v1 of " + archive), notes.toString());

    file("model/one/model.onnx");
    file("model/two/model.onnx");
    String refusal = refusal(this::model);
    assertTrue(refusal.endsWith("leave one: one, two"), refusal);
    file("model/model.onnx");
    notes.clear();
    assertEquals(data.resolve("model"), model());
    assertEquals(
        List.of("not unpacked, since the model lies in channel 'model' as it is: a.tar.gz"), notes);
  }

  @Test
  void ofTwoArchivesNoneIsTaken() throws IOException {
    file("model/a.tar.gz");
    file("model/b.tar.gz");
    String refusal = refusal(this::model);
    assertTrue(refusal.endsWith("has 2 archives: leave one: a.tar.gz, b.tar.gz"), refusal);
  }

  @ParameterizedTest
  @ValueSource(strings = {"model.tgz", "model.tar", "model.zip", "model.tar.xz"})
  void anotherArchiveIsRefusedWithAHint(String name) throws IOException {
    Path file = file("model/" + name);
    String refusal = refusal(this::model);
    assertTrue(refusal.startsWith(file.toString()), refusal);
    assertTrue(refusal.contains("pack the model as model.tar.gz"), refusal);
  }

  @Test
  void anArchiveWithoutAModelIsNamed() throws Exception {
    file("model/config.json");
    Path archive = data.resolve("model/model.tar.gz");
    archive(archive, data.resolve("model"), "config.json");
    String refusal = refusal(this::model);
    assertEquals(archive + " has no .onnx file in it", refusal);
  }
}
