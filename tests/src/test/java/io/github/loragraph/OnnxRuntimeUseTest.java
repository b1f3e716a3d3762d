package io.github.loragraph;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import ai.onnxruntime.OrtException;
import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaConstructorCall;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.github.loragraph.ort.OrtRuntime;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/**
 * ONNX Runtime loads its library where its classes are first used, of whatever build it then finds.
 * So only the package that chooses the build may use it out of the blue; everyone else gets what
 * they use from an {@link OrtRuntime}.
 */
class OnnxRuntimeUseTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("io.github.loragraph", "ai.onnxruntime");

  @Test
  void onlyOnePackageUsesItWithoutHavingBeenGivenIt() {
    noClasses()
        .that()
        .resideInAPackage("io.github.loragraph..")
        .and()
        .resideOutsideOfPackage("io.github.loragraph.ort")
        .should()
        .accessTargetWhere(outOfTheBlue())
        .check(CLASSES);
  }

  @Test
  void thereIsSuchUseToBeFound() {
    classes()
        .that()
        .haveFullyQualifiedName(OrtRuntime.class.getName())
        .should()
        .accessTargetWhere(outOfTheBlue())
        .check(CLASSES);
  }

  private static DescribedPredicate<JavaAccess<?>> outOfTheBlue() {
    return DescribedPredicate.describe(
        "a constructor or static method of ONNX Runtime is called",
        access -> {
          if (!access.getTargetOwner().getPackageName().startsWith("ai.onnxruntime")
              || access.getTargetOwner().isAssignableTo(OrtException.class)) {
            return false;
          }
          if (access instanceof JavaConstructorCall) {
            return true;
          }
          Optional<? extends Object> target = access.getTarget().resolveMember();
          return target.isPresent()
              && target.get() instanceof JavaCodeUnit unit
              && unit.getModifiers().contains(JavaModifier.STATIC)
              && !access.getTargetOwner().isEnum();
        });
  }
}
