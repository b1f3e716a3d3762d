package io.github.loragraph.sagemaker.client;

import io.github.loragraph.Model;
import io.github.loragraph.Task;
import io.github.loragraph.experiment.RunProgram;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * The program as a training image has it: what lies in S3 is there, and nowhere on this machine.
 */
record RemoteProgram(RunProgram program) implements RunProgram {
  @Override
  public boolean isElsewhere(String name) {
    return S3Location.isMeantBy(name);
  }

  @Override
  public Class<?> main() {
    return program.main();
  }

  @Override
  public List<String> train(Path config, Path run, OptionalInt threads, OptionalLong stopAfter) {
    return program.train(config, run, threads, stopAfter);
  }

  @Override
  public List<String> resume(Path run, OptionalLong stopAfter) {
    return program.resume(run, stopAfter);
  }

  @Override
  public Optional<String> nameOf(Part part, String name) {
    return program.nameOf(part, name);
  }

  @Override
  public boolean isNoSetting(Part part, String name) {
    return program.isNoSetting(part, name);
  }

  @Override
  public List<String> namesOf(Part part) {
    return program.namesOf(part);
  }

  @Override
  public boolean isFile(Part part, String name) {
    return program.isFile(part, name);
  }

  @Override
  public boolean isRepeated(Part part, String name) {
    return program.isRepeated(part, name);
  }

  @Override
  public Optional<Refusal> refusal(Part part, Map<String, List<String>> settings) {
    return program.refusal(part, settings);
  }

  @Override
  public Optional<String> refusal(Model model, Map<String, List<String>> adapters) {
    return program.refusal(model, adapters);
  }

  @Override
  public Optional<String> refusal(Task task, Map<String, List<String>> training) {
    return program.refusal(task, training);
  }

  @Override
  public Examples examples(Map<String, List<String>> training) {
    return program.examples(training);
  }

  @Override
  public Map<String, List<String>> head(
      Map<String, List<String>> head, Map<String, List<String>> training) {
    return program.head(head, training);
  }

  @Override
  public List<String> arguments(
      Part part, String model, Map<String, List<String>> settings, Optional<Path> target) {
    return program.arguments(part, model, settings, target);
  }

  @Override
  public String typed(List<String> arguments) {
    return program.typed(arguments);
  }
}
