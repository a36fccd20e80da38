use entity::audit_event;
use sea_orm::PaginatorTrait;

use super::*;
use crate::ground::Ground;

const PROMOTION: &str = "Hello {{ given_name }}. {{ postal_address }} {{ unsubscribe_url }}";

fn welcome() -> CreateTemplate {
    CreateTemplate {
        key: "welcome".to_owned(),
        name: "Welcome,  once".to_owned(),
        purpose: Purpose::Marketing,
        subject: "Hello".to_owned(),
        html: format!("<p>{PROMOTION}</p>"),
        text: PROMOTION.to_owned(),
    }
}

fn edit(template_id: TemplateId) -> UpdateTemplate {
    UpdateTemplate {
        template_id,
        name: None,
        subject: None,
        html: None,
        text: None,
        version: None,
    }
}

fn told<T>(result: Result<Done<T>>) -> Vec<String> {
    match result {
        Err(Error::Refused(refusals)) => refusals
            .iter()
            .map(|refusal| format!("{} {}", refusal.field.join("."), refusal.code.as_str()))
            .collect(),
        Err(other) => panic!("not a refusal: {other:?}"),
        Ok(_) => panic!("not refused"),
    }
}

#[tokio::test]
async fn a_new_text_is_a_new_version_and_the_old_one_stays() {
    let ground = Ground::at("2026-11-23T14:00:00Z").await;
    let admin = ground.admin();
    let first = create(&ground.h, &admin, welcome()).await.unwrap().value;
    assert_eq!(
        (first.template.name.as_str(), first.version.version),
        ("Welcome, once", 1)
    );
    let id = first.template.id;
    let input = UpdateTemplate {
        subject: Some("Good day".to_owned()),
        version: Some(1),
        ..edit(id)
    };
    let second = update(&ground.h, &admin, input.clone()).await.unwrap().value;
    assert_eq!(
        (second.version.version, second.version.subject.as_str()),
        (2, "Good day")
    );
    assert_eq!(second.version.html, first.version.html);
    assert_eq!(
        told(update(&ground.h, &admin, input).await),
        ["version VERSION_CONFLICT"]
    );
    let playbook = ground.h.playbook().await.unwrap();
    assert_eq!(
        playbook.template_version("welcome").unwrap().id,
        second.version.id
    );
    let kept = template_version::Entity::find_by_id(first.version.id)
        .one(&ground.h.db)
        .await
        .unwrap();
    assert_eq!(kept, Some(first.version));
}

#[tokio::test]
async fn an_update_that_changes_nothing_leaves_no_trace() {
    let ground = Ground::at("2026-11-23T14:00:00Z").await;
    let admin = ground.admin();
    let first = create(&ground.h, &admin, welcome()).await.unwrap().value;
    let before = audit_event::Entity::find().count(&ground.h.db).await.unwrap();
    let same = UpdateTemplate {
        subject: Some("Hello".to_owned()),
        ..edit(first.template.id)
    };
    let after = update(&ground.h, &admin, same).await.unwrap().value;
    assert_eq!(after, first);
    assert_eq!(
        audit_event::Entity::find().count(&ground.h.db).await.unwrap(),
        before
    );
}

#[tokio::test]
async fn a_promotion_without_the_way_out_is_refused_and_so_is_a_taken_key() {
    let ground = Ground::at("2026-11-23T14:00:00Z").await;
    let admin = ground.admin();
    let wrong = CreateTemplate {
        key: "Wel come".to_owned(),
        text: "Hello.".to_owned(),
        ..welcome()
    };
    let told_wrong = told(create(&ground.h, &admin, wrong).await);
    assert_eq!(told_wrong, ["key INVALID", "text REQUIRED", "text REQUIRED"]);
    _ = create(&ground.h, &admin, welcome()).await.unwrap();
    assert_eq!(
        told(create(&ground.h, &admin, welcome()).await),
        ["key ALREADY_EXISTS"]
    );
    assert_eq!(template::Entity::find().count(&ground.h.db).await.unwrap(), 1);
}

#[tokio::test]
async fn whoever_has_no_role_finds_no_template() {
    let ground = Ground::at("2026-11-23T14:00:00Z").await;
    let first = create(&ground.h, &ground.admin(), welcome()).await.unwrap().value;
    let refused = create(&ground.h, &Viewer::Public, welcome()).await;
    assert!(matches!(refused, Err(Error::Missing { .. })));
    let refused = update(&ground.h, &Viewer::Public, edit(first.template.id)).await;
    assert!(matches!(refused, Err(Error::Missing { .. })));
}
