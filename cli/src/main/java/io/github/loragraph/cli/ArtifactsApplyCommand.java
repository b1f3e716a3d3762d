package io.github.loragraph.cli;

import io.github.loragraph.Model;
import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.artifacts.CheckpointFile;
import io.github.loragraph.artifacts.TrainingArtifacts;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.onnx.OnnxModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lora-graph artifacts apply}. */
@Command(
    name = "apply",
    header = "Puts the parameters of a checkpoint into the model that it was trained from.",
    description = {
      "",
      "CHECKPOINT is a file that ONNX Runtime's training API saved, a folder of artifacts, or one"
          + " of a run's checkpoints (RUN/checkpoints/step-...). What comes out can be merged like"
          + " any trained model.",
      ""
    },
    footer = {
      "",
      "Example:",
      "  lora-graph artifacts apply trained.ckpt model.lora.onnx -o trained.lora.onnx"
    },
    mixinStandardHelpOptions = true)
final class ArtifactsApplyCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "CHECKPOINT", description = "The file to read.")
  private Path checkpointFile;

  @Parameters(
      index = "1",
      paramLabel = "MODEL",
      description = "The model that the artifacts were made of.")
  private String model;

  @Mixin private OutputFile outputFile;
  @Mixin private ResultOutput output;

  @Option(names = "--list", description = "Only say what the checkpoint holds.")
  private boolean list;

  @Override
  public Integer call() {
    Model untrained = Model.open(model).withNotes(output::say);
    @Nullable Path target = list ? null : outputFile.check(untrained, ".trained");
    Path inFolder = checkpointFile.resolve(TrainingArtifacts.CHECKPOINT);
    Checkpoint checkpoint =
        CheckpointFile.read(Files.isRegularFile(inFolder) ? inFolder : checkpointFile);
    OnnxModel trained =
        LoraGraphException.in(checkpointFile, () -> checkpoint.putInto(untrained.onnx()));
    if (target != null) {
      outputFile.write(untrained.withOnnx(trained), target);
    }
    long steps = checkpoint.group(Checkpoint.GROUP).map(g -> g.step()).orElse(0L);
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("output", target == null ? null : target.toString());
    result.put("applied", checkpoint.trainable().stream().map(t -> t.name()).toList());
    result.put("steps", steps);
    output.print(
        result,
        out -> {
          if (list) {
            checkpoint
                .trainable()
                .forEach(
                    t -> out.println(PlainText.line(t.name()) + " " + Arrays.toString(t.dims())));
          }
          out.printf(
              "%d tensors of a training of %,d steps%n", checkpoint.trainable().size(), steps);
          if (!list) {
            out.println("written: " + target);
          }
        });
    return 0;
  }
}
